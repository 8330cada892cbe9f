/** Buckets kept at most; what falls out was quiet for longest, and starts anew with a full one. */
const MOST_BUCKETS = 20_000;

/**
 * A token bucket for each name.
 *
 * @param perSecond what flows in
 * @param burst what a bucket holds
 * @returns takes so much out of a bucket: undefined where it held that much, else the seconds until it will
 */
export function rateLimit(
  { perSecond, burst }: { perSecond: number; burst: number },
  now = () => performance.now(),
): (name: string, cost?: number) => number | undefined {
  const buckets = new Map<string, { level: number; at: number }>();
  return (name, cost = 1) => {
    const at = now();
    const known = buckets.get(name);
    buckets.delete(name);
    const level = known ? Math.min(burst, known.level + ((at - known.at) / 1000) * perSecond) : burst;
    const left = level - cost;
    // A refusal costs nothing, so that who keeps asking is served as soon as others are.
    buckets.set(name, { level: left < 0 ? level : left, at });
    if (buckets.size > MOST_BUCKETS) {
      const [oldest] = buckets.keys();
      if (oldest !== undefined) buckets.delete(oldest);
    }
    return left < 0 ? Math.ceil(-left / perSecond) : undefined;
  };
}
