/**
 * The order in which windows are read. Window i of an epoch is a pure function of (seed, epoch, i), so a run resumes
 * at window 10^8 as fast as at 0. Shuffled order works on blocks, so that neighbouring windows share decoded frames.
 */
import { bijection } from './bijection.js';

/** Where a run stands: `position` windows of `epoch` are done. Plain JSON. */
export interface Cursor {
  epoch: number;
  position: number;
}

export interface OrderOptions {
  /** Number of windows. */
  windows: number;
  seed: number;
  epoch: number;
  /** Windows in a block, K. */
  blockWindows: number;
  /** Blocks open together, G: their windows are mixed. */
  openBlocks: number;
}

export interface Order {
  readonly length: number;
  /** Of an order in blocks: what a ring should hold. */
  readonly blocks?: Pick<OrderOptions, 'blockWindows' | 'openBlocks'>;
  /** The window at position i. */
  at(i: number): number;
}

/**
 * Block b holds windows [bK, (b+1)K). Full blocks are permuted, a short last block comes last; the windows of G
 * blocks at a time are mixed by a second permutation.
 */
export function blockOrder({ windows, seed, epoch, blockWindows, openBlocks }: OrderOptions): Order {
  const fullBlocks = Math.floor(windows / blockWindows);
  const groupWindows = blockWindows * openBlocks;
  const ofBlocks = bijection(Math.max(1, fullBlocks), `blocks ${seed} ${epoch}`);
  let group = -1;
  let mixed: (i: number) => number = (i) => i;
  return {
    length: windows,
    blocks: { blockWindows, openBlocks },
    at(i) {
      if (!(i >= 0 && i < windows)) throw new RangeError(`position ${i} of ${windows}`);
      const g = Math.floor(i / groupWindows);
      if (g !== group) {
        group = g;
        mixed = bijection(
          Math.min(groupWindows, windows - g * groupWindows),
          `windows ${seed} ${epoch} ${g}`,
        );
      }
      const inGroup = mixed(i - g * groupWindows);
      const place = g * openBlocks + Math.floor(inGroup / blockWindows);
      const block = place < fullBlocks ? ofBlocks(place) : place;
      return block * blockWindows + (inGroup % blockWindows);
    },
  };
}

/** Window at position `i` of `epoch`: `blockOrder` for a single look-up. */
export function windowAt(options: OrderOptions, i: number): number {
  return blockOrder(options).at(i);
}

/** The cursor after `count` more windows; `length` is the number of windows in an epoch. */
export function advance({ epoch, position }: Cursor, count: number, length: number): Cursor {
  const done = position + count;
  return { epoch: epoch + Math.floor(done / length), position: done % length };
}

/** Fewest windows in a block for under two reads a frame: K >= (T - s) / s. */
export function smallestBlock(windowLength: number, stride: number): number {
  return Math.max(1, Math.ceil((windowLength - stride) / stride));
}

/** How well an order shuffles; a perfect shuffle has correlation near 0 and neighbours a third of the length apart. */
export interface ShuffleQuality {
  /** Correlation of position and window. */
  correlation: number;
  /** Mean distance of windows read one after the other, as a share of that in a perfect shuffle. */
  spread: number;
}

/** Measured on at most `sample` positions, evenly spaced. */
export function shuffleQuality({ length, at }: Order, sample = 10_000): ShuffleQuality {
  if (length < 3) return { correlation: 0, spread: 1 };
  const count = Math.min(sample, length - 1);
  const [middle, variance] = [(length - 1) / 2, (length * length - 1) / 12];
  let [product, distance] = [0, 0];
  for (let k = 0; k < count; k++) {
    const i = Math.floor((k * (length - 1)) / count);
    const window = at(i);
    product += (i - middle) * (window - middle);
    distance += Math.abs(window - at(i + 1));
  }
  return { correlation: product / count / variance, spread: distance / count / (length / 3) };
}
