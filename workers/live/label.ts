/** Committed frames -> lines of the record: context, models, causal latch, events, lateness. */
import { sigmoid } from '../../pipeline/labelling/index.js';
import type { Commit, LiveLabel } from '../../schemas/records/index.js';
import { commitsOf, type LiveDataset, readFrames } from './dataset.js';
import { BAD, type KnownFrame, LABELLED, OPEN } from './known.js';
import type { LiveModels, ReadFrame, Said } from './models.js';

export interface LabelInput {
  dataset: LiveDataset;
  models: LiveModels;
  /** Frames that are OPEN and whose slots are committed, ascending in time. */
  frames: readonly KnownFrame[];
  /** When their sources had settled. */
  arrived(frame: KnownFrame): number;
  /** Largest event number given so far. */
  lastEvent: number;
  signal?: AbortSignal;
}

/** One line a frame in the order of time. The frames' latch and event are set; their state is the caller's to set. */
export async function labelFrames(input: LabelInput): Promise<LiveLabel[]> {
  const { dataset, models, signal } = input;
  const all = withContext(input);
  const commits = await commitsNeeded(dataset.address, models, all);
  const isOk = okReader(commits);
  const frames = all.map(({ frame, wanted }): ReadFrame => {
    frame.ok ??= isOk(frame);
    return { series: frame.series, time: frame.time, ok: frame.ok, of: frame.slot, wanted };
  });
  const said = await models.say(
    frames,
    dataset.description,
    (some, out) => {
      const slots = new Set(some.map(({ of }) => of));
      return readFrames(
        dataset.address,
        [...slots].map((slot) => commits.get(slot)!),
        some,
        out,
      );
    },
    { signal },
  );
  return toLines(input, said, reasons(commits));
}

interface Chosen {
  frame: KnownFrame;
  wanted: boolean;
}

/** The frames and, once each, what comes before them. A frame that is still open has nothing to give. */
function withContext({ dataset, models, frames }: LabelInput): Chosen[] {
  const chosen = new Map(frames.map((frame) => [frame, true]));
  for (const { series, time } of frames)
    for (const frame of dataset.known.before(series, time, models.reach))
      if (!chosen.has(frame) && frame.state !== OPEN && frame.slot !== '') chosen.set(frame, false);
  return [...chosen].map(([frame, wanted]) => ({ frame, wanted }));
}

/** Of frames to read, and of those of which it is not known whether they are bad. */
function commitsNeeded(address: string, models: LiveModels, all: readonly Chosen[]) {
  const slots = all
    .filter(({ frame, wanted }) => {
      const { series, time, slot: of, ok } = frame;
      return wanted || ok === null || !models.knows({ series, time, of });
    })
    .map(({ frame }) => frame.slot);
  return commitsOf(address, slots);
}

function okReader(commits: ReadonlyMap<string, Commit>): (frame: KnownFrame) => boolean {
  return ({ slot, time }) => commits.get(slot)?.frames.find((frame) => frame.time === time)?.status === 'ok';
}

function reasons(commits: ReadonlyMap<string, Commit>): (frame: KnownFrame) => string | null {
  return ({ slot, time }) => commits.get(slot)?.frames.find((frame) => frame.time === time)?.reason ?? null;
}

function toLines(
  { dataset: { known }, models: { calibration }, arrived, lastEvent }: LabelInput,
  said: readonly Said[],
  reasonOf: (frame: KnownFrame) => string | null,
): LiveLabel[] {
  const inTime = [...said].sort((a, b) => a.frame.time - b.frame.time);
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  let events = lastEvent;
  return inTime.map(({ frame: { series, time }, logit, context, score, p }) => {
    const frame = known.find(series, time)!;
    const [before] = known.before(series, time, 1);
    const probability = Number.isNaN(logit) ? Number.NaN : sigmoid(logit);
    const wasOn = before?.on ?? 0;
    frame.on = probability >= calibration.high ? 1 : probability < calibration.low ? 0 : wasOn;
    frame.event = frame.on ? (wasOn && before.event) || ++events : 0;
    const good = !Number.isNaN(logit);
    return {
      kind: 'label',
      series,
      time,
      arrived: arrived(frame),
      labelled: Date.now(),
      logit: finite(logit),
      probability: finite(probability),
      predicted: good ? frame.on : null,
      event: good && frame.on ? frame.event : null,
      context,
      score: finite(score),
      p_value: finite(p),
      late: isLate(known.of(series), time),
      reason: reasonOf(frame),
    };
  });
}

/** True when a later frame of the series is in the record. */
function isLate(frames: readonly KnownFrame[], time: number): boolean {
  for (let i = frames.length - 1; i >= 0 && frames[i].time > time; i--)
    if (frames[i].state === LABELLED || frames[i].state === BAD) return true;
  return false;
}
