/** What training and labelling know of a model: a frame encoder, a temporal head, a plain tree of parameters. */
import type { ModelConfig } from '../../schemas/config/index.js';
import type { Mode } from '../nn/index.js';
import type { Random } from '../random.js';
import type { ParameterTree, Tensor } from '../tensor/index.js';

/** Sizes a model is built for. */
export interface ModelShape {
  readonly height: number;
  readonly width: number;
  /** Input channels, see pipeline/channels. */
  readonly channels: number;
  /** Numbers that tell the head the time of year; 0 for none. */
  readonly season: number;
}

export interface Encoded {
  /** `[frames]`, the encoder's own logit. */
  evidence: Tensor;
  /** `[frames, featureCount]`; feature 0 is `evidence`. */
  features: Tensor;
  /** `[frames, map height, map width]`: softmax over its cells says where the model looked. */
  map: Tensor | null;
  /** Logits of the attention module's own losses, `[frames]` for each tap. */
  auxiliary?: readonly Tensor[];
  /** Attention of each tap of the model, `[frames, height, width]` on its own grid; sums to 1 over its cells. */
  looks?: readonly Tensor[];
  /** `[frames, taps]`: how much each tap counts; sums to 1. Null where taps are not weighed. */
  scale?: Tensor | null;
  /** Maps at the end of each block of a deep backbone, front to back, `[frames, h, w, channels]`. */
  taps?: readonly Tensor[];
  /** New values of leaves that follow the data, e.g. batch norm's moments, by leaf name; in training only. */
  updates?: Record<string, Tensor>;
}

/** Cell (r, c) of the map stands for the cells of the frame from margin + stride r, margin + stride c on. */
export interface MapGrid {
  readonly height: number;
  readonly width: number;
  readonly margin: number;
  readonly stride: number;
}

/** A block of the encoder that attention looks at. */
export interface ModelTap {
  readonly name: string;
  readonly height: number;
  readonly width: number;
}

export interface HeadInputs {
  /** `[batch, time, featureCount]` */
  features: Tensor;
  /** `[batch, time, season]`; null where the model has no season. */
  season: Tensor | null;
  /** `[batch, time]`, 0 for padding and bad frames, which leave the state as it is; null: all valid. */
  valid: Tensor | null;
  /** `[batch, stateSize]`; null starts from zero. */
  state: Tensor | null;
}

export interface Model {
  readonly config: ModelConfig;
  readonly shape: ModelShape;
  readonly mapGrid: MapGrid;
  /** False where the encoder gives no map. */
  readonly looks: boolean;
  /** Taps whose own attention the encoder gives, in order; empty for encoders with one map alone. */
  readonly taps: readonly ModelTap[];
  /** True where the encoder says how much each tap counts. */
  readonly weighsTaps: boolean;
  readonly featureCount: number;
  /** Floats that the encoder holds at once of a frame without gradients, over the frame's cells; about. */
  readonly floatsPerCell: number;
  /** Numbers of the state that the head carries from frame to frame; 0: every frame stands alone. */
  readonly stateSize: number;
  /** False for a head that also reads later frames. */
  readonly causal: boolean;
  /** In training the frames of a batch are normalised together: what a frame gives then depends on the others. */
  readonly batchMoments: boolean;
  /** Weight of the auxiliary losses; 0 where there are none. */
  readonly auxiliary: number;
  /** True for leaves that keep their values in training: no gradient, no decay, no new moments. */
  isFrozen(name: string): boolean;
  /** Name of the kernel that reads the channels, whose third axis follows their number. */
  readonly inputKernel: string;
  /** Start values; the model's first logits lie near `logit` (default 0). */
  init(random: Random, start?: { logit?: number }): ParameterTree;
  /** `x [frames, height, width, channels]`; time is folded into the batch. */
  encode(parameters: ParameterTree, x: Tensor, mode: Mode): Encoded;
  /** `logits [batch, time, 1]` and the last state `[batch, stateSize]`: null without one, and for a head that is not causal. */
  head(parameters: ParameterTree, inputs: HeadInputs, mode: Mode): { logits: Tensor; state: Tensor | null };
}

/** The map's cell that stands for frame cell row * width + column; -1 outside the map (a tile's margin). */
export function mapCell({ shape, mapGrid }: Pick<Model, 'shape' | 'mapGrid'>, cell: number): number {
  if (cell < 0) return -1;
  const { margin, stride, height, width } = mapGrid;
  const row = Math.floor((Math.floor(cell / shape.width) - margin) / stride);
  const column = Math.floor(((cell % shape.width) - margin) / stride);
  return row < 0 || column < 0 || row >= height || column >= width ? -1 : row * width + column;
}
