/** A slab is cut into blocks of one size, so that what one session leaves the next one fills. */
const SLAB_BYTES = 256 * 1024;
const GRAIN_BYTES = 32;
/** Blocks in a slab of the smallest size; a reference is the slab's number times this, plus the block's. */
const MOST_BLOCKS = SLAB_BYTES / GRAIN_BYTES;

interface Slab {
  readonly memory: Buffer;
  readonly size: number;
  readonly free: number[];
  /** Blocks from here on were never used. */
  fresh: number;
  used: number;
}

export interface Place {
  readonly memory: Buffer;
  readonly start: number;
}

/** Memory outside JavaScript's heap, which has a limit of its own and is slow to look through a million objects. */
export interface Slabs {
  /** @returns a reference, a small integer */
  readonly write: (bytes: Buffer) => number;
  /** Where the block begins; what was written is not told apart from what is behind it. */
  readonly at: (reference: number) => Place;
  /** Wipes the block and gives it back. */
  readonly free: (reference: number) => void;
}

export function slabs(): Slabs {
  const all: (Slab | undefined)[] = [];
  const vacant: number[] = [];
  /** Numbers of the slabs that have a free block, by their blocks' size. */
  const roomy = new Map<number, Set<number>>();

  return {
    write(bytes) {
      const size = Math.ceil(bytes.length / GRAIN_BYTES) * GRAIN_BYTES;
      const number = slabWithRoom(size);
      const slab = slabAt(number);
      const block = slab.free.pop() ?? slab.fresh++;
      slab.used += 1;
      if (slab.used === blocksOf(size)) roomy.get(size)?.delete(number);
      slab.memory.set(bytes, block * size);
      return number * MOST_BLOCKS + block;
    },

    at(reference) {
      const { memory, size } = slabAt(Math.floor(reference / MOST_BLOCKS));
      return { memory, start: (reference % MOST_BLOCKS) * size };
    },

    free(reference) {
      const number = Math.floor(reference / MOST_BLOCKS);
      const slab = slabAt(number);
      const block = reference % MOST_BLOCKS;
      slab.memory.fill(0, block * slab.size, (block + 1) * slab.size);
      slab.free.push(block);
      slab.used -= 1;
      if (slab.used > 0) {
        roomOf(slab.size).add(number);
        return;
      }
      roomOf(slab.size).delete(number);
      all[number] = undefined;
      vacant.push(number);
    },
  };

  function slabAt(number: number): Slab {
    const slab = all[number];
    if (!slab) throw new Error('A block was used after it was given back.');
    return slab;
  }

  function roomOf(size: number): Set<number> {
    const found = roomy.get(size) ?? new Set();
    roomy.set(size, found);
    return found;
  }

  function slabWithRoom(size: number): number {
    for (const number of roomOf(size)) return number;
    const number = vacant.pop() ?? all.length;
    all[number] = { memory: Buffer.allocUnsafeSlow(SLAB_BYTES), size, free: [], fresh: 0, used: 0 };
    roomOf(size).add(number);
    return number;
  }
}

function blocksOf(size: number): number {
  return Math.floor(SLAB_BYTES / size);
}
