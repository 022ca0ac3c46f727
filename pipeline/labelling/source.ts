/**
 * Labels maps straight from their files: nothing is written, a few maps are in memory at a time, and the labels are those
 * that a dataset of the same maps would get.
 *
 *   const { labelled, store } = await labelSource(trained, calibration, IngestConfig.parse({ sources: ['maps'] }));
 */
import { frameSize } from '../../schemas/arrow/index.js';
import type { IngestConfig } from '../../schemas/config/index.js';
import type { Calibration, DatasetDescription, PlannedFrame, Series } from '../../schemas/records/index.js';
import { buildModel } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { decodeFrame, describeDataset, mapCache, type Scan, scanSources } from '../raster/index.js';
import { decodeJudged, type FrameStore, type JudgedFrame, someFrames } from '../shards/index.js';
import { openBackend } from '../tensor/index.js';
import { assertFits, type TrainedModel } from '../training/index.js';
import { type Carry, carriedByMember, openCarry } from './carry.js';
import { fromLogits, type Labelled } from './labelFrames.js';
import { predictFrames, refuseBothWays } from './stream.js';

export interface LabelSourceOptions {
  onProgress?: OnProgress;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

export interface LabelledSource {
  labelled: Labelled;
  /** The frames without their pixels: index and description. */
  store: Pick<FrameStore, 'index' | 'description'>;
  bad: number;
  /** Files that give no frame, under `onBadFrame: skip`. */
  rejected: Scan['rejected'];
}

interface SourceFrame {
  series: string;
  time: number;
  /** Known once it has been decoded. */
  ok: boolean;
  /** A map is what it is: features are made once. */
  of: string;
  planned: PlannedFrame;
  own: Series;
}

/** Decoded maps kept for the tiles that are cut from them. */
const CACHE_BYTES = 128 * 2 ** 20;
/** Frames, and bytes of them, decoded and held at once. */
const MOST_FRAMES = 512;
const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Typed errors of the maps as `ingest` gives them (a bad one ends the call under `onBadFrame: stop` and has no logit under
 * `skip`); ModelMismatchError when the maps have other bands or another grid than the model, ConfigError for a head that
 * reads both ways.
 */
export async function labelSource(
  trained: TrainedModel,
  calibration: Calibration,
  config: IngestConfig,
  { onProgress, log, signal }: LabelSourceOptions = {},
): Promise<LabelledSource> {
  const scan = await scanSources(config, { onProgress, signal });
  const named = { ...config, bands: config.bands ?? trained.bandNames };
  const { description, frames: planned, rejected } = describeDataset(scan, named);
  refuseBothWays(trained, 'label maps as they are read');
  assertFits(trained, { description });
  await openBackend();
  const frames = inTime(description, planned);
  const labeller = await chunkLabeller(trained, description, config.onBadFrame, signal);
  const said = new Map<SourceFrame, { logit: number; context: number }>();
  const { values } = frameSize(description);
  const most = Math.max(1, Math.min(MOST_FRAMES, Math.floor(CHUNK_BYTES / (4 * values))));
  for (let from = 0; from < frames.length; from += most) {
    const chunk = frames.slice(from, from + most);
    for (const [frame, own] of await labeller(chunk, log)) said.set(frame, own);
    onProgress?.({ stage: 'label', done: from + chunk.length, total: frames.length, unit: 'frames' });
  }
  const all = someFrames(description, frames, () => Promise.reject(new Error('no pixels are kept')));
  const raw = {
    logit: Float32Array.from(all.frames, (frame) => said.get(frame)?.logit ?? Number.NaN),
    context: Int32Array.from(all.frames, (frame) => said.get(frame)?.context ?? 0),
    attention: null,
    taps: null,
  };
  return {
    labelled: fromLogits(raw, all.store, calibration),
    store: all.store,
    bad: frames.filter(({ ok }) => !ok).length,
    rejected: [...scan.rejected, ...rejected],
  };
}

/** All series side by side, so that the tiles of a map are labelled while it is decoded. */
function inTime(
  description: DatasetDescription,
  planned: ReadonlyMap<string, readonly PlannedFrame[]>,
): SourceFrame[] {
  const of = 'source';
  return description.series
    .flatMap((own) =>
      (planned.get(own.name) ?? []).map((frame) => ({
        ...{ series: own.name, time: frame.time, ok: true, of, planned: frame, own },
      })),
    )
    .sort((a, b) => a.time - b.time);
}

type Said = [frame: SourceFrame, said: { logit: number; context: number }];

/** Labels chunk after chunk; of what came before only the models' features are kept. */
async function chunkLabeller(
  trained: TrainedModel,
  description: DatasetDescription,
  onBadFrame: 'stop' | 'skip',
  signal: AbortSignal | undefined,
): Promise<(chunk: readonly SourceFrame[], log?: (line: string) => void) => Promise<Said[]>> {
  const { featureCount, stateSize } = buildModel(trained.config, trained.shape);
  const reach = stateSize > 0 ? trained.training.windowLength - 1 : 0;
  const carry: Carry = await openCarry(featureCount * trained.members.length, '');
  const cache = mapCache(CACHE_BYTES);
  const before = new Map<string, SourceFrame[]>();
  return async (chunk, log) => {
    const decoded = new Map<SourceFrame, JudgedFrame>();
    for (const frame of chunk) {
      signal?.throwIfAborted();
      const judged = await decodeJudged(frame.planned, frame.own, description, {
        decode: (one, series, its) => decodeFrame(one, series, its, { cache, signal }),
        onBadFrame,
      });
      frame.ok = judged.decoded !== null;
      if (judged.reason) log?.(`bad: ${frame.planned.sources[0].path}: ${judged.reason}`);
      decoded.set(frame, judged);
    }
    const context = [...before.values()].flat();
    const part = someFrames(description, [...context, ...chunk], async (some, out) => {
      some.forEach((frame, i) => {
        physical(decoded.get(frame), description, i, out);
      });
    });
    const wanted = [...part.frames.keys()].filter((i) => decoded.has(part.frames[i]));
    const carried = carriedByMember(carry, part.frames, featureCount);
    const found = await predictFrames(trained, part.store, wanted, { carried, signal });
    for (const frame of chunk) {
      const own = before.get(frame.series) ?? [];
      before.set(frame.series, reach > 0 ? [...own, frame].slice(-reach) : []);
    }
    carry.prune(Math.max(1, reach));
    return wanted.map((at, i) => [part.frames[at], { logit: found.logit[i], context: found.context[i] }]);
  };
}

/** Stored -> physical units as a shard's reader gives them, frame `at` of `out`. */
function physical(
  judged: JudgedFrame | undefined,
  description: DatasetDescription,
  at: number,
  out: Parameters<FrameStore['read']>[1],
): void {
  const { values: size, cells } = frameSize(description);
  const values = out.values.subarray(at * size, (at + 1) * size);
  const valid = out.valid.subarray(at * cells, (at + 1) * cells);
  if (!judged?.decoded) {
    values.fill(0);
    valid.fill(0);
    return;
  }
  const { bands } = description;
  for (let i = 0; i < size; i++) {
    const { scale, offset } = bands[i % bands.length];
    values[i] = judged.decoded.values[i] * scale + offset;
  }
  valid.set(judged.decoded.valid);
  for (let cell = 0; cell < cells; cell++)
    if (!valid[cell]) values.fill(0, cell * bands.length, (cell + 1) * bands.length);
}
