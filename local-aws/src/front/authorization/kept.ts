/**
 * What was read from moto, kept for as long as nothing of its kind was changed. Every change passes by this front, so
 * what is kept is never older than the last one.
 */
export class Kept {
  private readonly generations = new Map<string, number>();
  private readonly values = new Map<string, { generation: number; value: Promise<unknown> }>();

  /** Something of this kind has changed: what was read of it before doesn't count any more. */
  changed(kind: string): void {
    this.generations.set(kind, this.generation(kind) + 1);
  }

  /** @param name of the value among those of its kind */
  async read<T>(kind: string, name: string, fetch: () => Promise<T>): Promise<T> {
    const id = `${kind}\n${name}`;
    const generation = this.generation(kind);
    const known = this.values.get(id);
    if (known?.generation === generation) return known.value as Promise<T>;
    const value = fetch();
    this.values.set(id, { generation, value });
    try {
      return await value;
    } catch (error) {
      if (this.values.get(id)?.value === value) this.values.delete(id);
      throw error;
    }
  }

  private generation(kind: string): number {
    return this.generations.get(kind) ?? 0;
  }
}
