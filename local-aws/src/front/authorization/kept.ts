/**
 * What was read from moto, kept for as long as nothing of its kinds was changed. Every change passes by this front, so
 * what is kept is never older than the last one.
 */
export class Kept {
  private readonly generations = new Map<string, number>();
  private readonly values = new Map<string, { generation: string; value: Promise<unknown> }>();

  /** Something of this kind has changed: what was read of it before doesn't count any more. */
  changed(kind: string): void {
    this.generations.set(kind, (this.generations.get(kind) ?? 0) + 1);
  }

  /**
   * @param kinds whose changes end it
   * @param name of the value among those of its kinds
   */
  async read<T>(kinds: readonly string[], name: string, fetch: () => Promise<T>): Promise<T> {
    const id = [...kinds, name].join('\n');
    const generation = kinds.map((kind) => this.generations.get(kind) ?? 0).join();
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
}
