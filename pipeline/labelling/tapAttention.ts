/** Where each tap of a model looked and how much it counted, frame by frame. */
import type { Model } from '../models/index.js';
import type { Look } from '../training/index.js';

export interface TapMaps {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** `[frame, height, width]` on the tap's own grid; sums to 1 a frame, 0 for bad frames. */
  readonly maps: Float32Array;
}

export interface TapAttention {
  readonly taps: readonly TapMaps[];
  /** `[frame, taps]`, sums to 1 a frame, 0 for bad frames; null where taps are not weighed. */
  readonly scale: Float32Array | null;
}

/** Room for `frames` frames; null for a model without taps. */
export function tapAttention(model: Pick<Model, 'taps' | 'weighsTaps'>, frames: number): TapAttention | null {
  const { taps, weighsTaps } = model;
  if (taps.length === 0) return null;
  return {
    taps: taps.map((tap) => ({ ...tap, maps: new Float32Array(frames * tap.width * tap.height) })),
    scale: weighsTaps ? new Float32Array(frames * taps.length) : null,
  };
}

/** Bytes of that room for one frame. */
export const tapBytes = ({ taps }: Pick<Model, 'taps'>): number =>
  4 * taps.reduce((sum, { width, height }) => sum + width * height + 1, 0);

export function keepLook({ taps, scale }: TapAttention, look: Look, frame: number): void {
  for (const [l, { maps }] of taps.entries()) maps.set(look.taps[l], frame * look.taps[l].length);
  if (scale && look.scale) scale.set(look.scale, frame * taps.length);
}
