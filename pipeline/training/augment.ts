/** What is done to a batch of frames before the encoder sees it, all drawn from one generator. */
import type { TrainingConfig } from '../../schemas/config/index.js';
import { normals } from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, pad, reverse, slice, type Tensor, tensor, tidy } from '../tensor/index.js';

export type Augmentation = Pick<TrainingConfig, 'noise' | 'mirror' | 'shift'>;

/** One draw for a whole window, so that motion stays motion. */
export interface Move {
  mirror: boolean;
  /** Rows and columns by which the map moves down and right. */
  rows: number;
  columns: number;
}

export const STILL: Move = { mirror: false, rows: 0, columns: 0 };

export function drawMove({ mirror, shift }: Augmentation, random: Random): Move {
  const by = () => (shift > 0 ? random.integer(2 * shift + 1) - shift : 0);
  return { mirror: mirror && random.bits() % 2 === 1, rows: by(), columns: by() };
}

/** Where frame cell row * width + column goes; -1 when it leaves the frame. The mirror comes first. */
export function moveCell(
  cell: number,
  { mirror, rows, columns }: Move,
  height: number,
  width: number,
): number {
  if (cell < 0) return -1;
  const column = cell % width;
  const row = Math.floor(cell / width) + rows;
  const moved = (mirror ? width - 1 - column : column) + columns;
  return row < 0 || row >= height || moved < 0 || moved >= width ? -1 : row * width + moved;
}

/**
 * Moves each run of frames of `x [frames, h, w, c]`; what enters at an edge is 0, as an invalid cell is.
 * `runs`: number of consecutive frames with their move.
 */
export function moveFrames(
  x: Tensor,
  runs: readonly { frames: number; move: Move }[],
  shift: number,
): Tensor {
  if (runs.every(({ move }) => move === STILL)) return x;
  return tidy(() => {
    const [, height, width, channels] = x.shape;
    const parts: Tensor[] = [];
    let start = 0;
    for (const { frames, move } of runs) {
      if (frames === 0) continue;
      let part = slice(x, [start, 0, 0, 0], [frames, height, width, channels]);
      if (move.mirror) part = reverse(part, 2);
      if (move.rows !== 0 || move.columns !== 0) {
        const wide = pad(part, [
          [0, 0],
          [shift, shift],
          [shift, shift],
          [0, 0],
        ]);
        part = slice(
          wide,
          [0, shift - move.rows, shift - move.columns, 0],
          [frames, height, width, channels],
        );
      }
      parts.push(part);
      start += frames;
    }
    return concat(parts, 0);
  });
}

/** `x [frames, h, w, channels]` plus Gaussian noise of `scale[channel]` standard deviations. */
export function addNoise(x: Tensor, scale: Float32Array, random: Random): Tensor {
  const noise = normals(x.size, random);
  for (let i = 0, channel = 0; i < noise.length; i++) {
    noise[i] *= scale[channel];
    if (++channel === scale.length) channel = 0;
  }
  return tidy(() => add(x, tensor(noise, x.shape)));
}
