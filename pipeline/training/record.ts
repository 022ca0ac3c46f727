/** model.json: all that using a model needs besides its weights. */
import * as z from 'zod';
import { ModelConfig, TrainingConfig } from '../../schemas/config/index.js';
import { Calibration, Grid } from '../../schemas/records/index.js';
import type { ChannelStatistics } from '../channels/index.js';
import { ModelMismatchError } from '../errors.js';
import type { FrameStore } from '../shards/index.js';
import type { ParameterTree } from '../tensor/index.js';

export const ModelRecord = z.strictObject({
  formatVersion: z.literal(1),
  config: ModelConfig,
  training: TrainingConfig,
  /** What the model was built for. */
  shape: z.strictObject({ height: z.int(), width: z.int(), channels: z.int(), season: z.int() }),
  bandNames: z.array(z.string()),
  grid: Grid,
  /** Fitted on the training frames; labelling uses these, never the new data's own. */
  channels: z.custom<ChannelStatistics>((value) => typeof value === 'object' && value !== null),
  /** log of the positive weight in the loss; what training added to every logit. */
  prior: z.number(),
  positiveWeight: z.number(),
  /** Frames whose label counted in training. */
  positives: z.int(),
  negatives: z.int(),
  /** One a member. */
  seeds: z.array(z.int()),
  splitHash: z.string(),
  datasetHash: z.string(),
  labelHash: z.string(),
  labelSource: z.string(),
  backend: z.string(),
  versions: z.record(z.string(), z.string()),
  /** From raw logit to probability; filled in by labelling. */
  calibration: Calibration.optional(),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

/** A model with its weights, one tree a member. */
export interface TrainedModel extends ModelRecord {
  members: ParameterTree[];
}

/** @throws ModelMismatchError when the dataset has other bands or another grid than the model was trained on. */
export function assertFits(
  { bandNames, grid }: Pick<ModelRecord, 'bandNames' | 'grid'>,
  { description }: Pick<FrameStore, 'description'>,
): void {
  const found = description.bands.map((band) => band.name);
  if (found.join('\n') !== bandNames.join('\n'))
    throw new ModelMismatchError(
      `cannot use the model on this dataset: it has bands [${found.join(', ')}]; the model was trained on [${bandNames.join(', ')}]`,
      {
        hint: `ingest the maps with --bands ${bandNames.join(',')}`,
        fields: { found, expected: bandNames },
      },
    );
  const other = description.grid;
  if (
    other.width === grid.width &&
    other.height === grid.height &&
    samePlace(other.transform, grid.transform)
  )
    return;
  throw new ModelMismatchError(
    `cannot use the model on this dataset: its grid is ${gridText(other)}; the model was trained on ${gridText(grid)}`,
    { hint: 'ingest the maps to the grid of the model (--grid)', fields: { found: other, expected: grid } },
  );
}

/** Equal to a thousandth of a cell; maps without a fixed place (tiles, cut-outs) fit by their size alone. */
function samePlace(a: Grid['transform'], b: Grid['transform']): boolean {
  if (!a || !b) return a === b;
  const cell = Math.abs(b[1]) + Math.abs(b[2]);
  return a.every((value, i) => Math.abs(value - b[i]) <= 1e-3 * cell);
}

const gridText = ({ width, height, crs, transform }: Grid): string =>
  `${width} x ${height} cells, ${crs}, ${transform ? `transform [${transform.join(', ')}]` : 'no fixed place'}`;
