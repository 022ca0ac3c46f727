/**
 * What the models said of the last frames of each series, so that a frame that comes is the only one that is read. Kept
 * in memory and, whole, on disk; features are a pure function of model and frame, so losing them costs time alone.
 */
import { isStormreelError } from '../errors.js';
import { type CarriedFeatures, readSafetensors, writeSafetensors } from '../training/index.js';

/** Numbers of one frame; null for a frame without any. `of` names what they were made from. */
interface Entry {
  of: string;
  numbers: Float32Array | null;
}

export interface Carry {
  /** Undefined where nothing is kept, or where it was made from something else. */
  get(series: string, time: number, of: string): Float32Array | null | undefined;
  set(series: string, time: number, of: string, numbers: Float32Array | null): void;
  /** Keeps the last `frames` of every series. */
  prune(frames: number): void;
  save(path: string): Promise<void>;
}

/** `width`: numbers of one frame. With `path`: what `save` wrote there, where it can be read and is of `key`. */
export async function openCarry(width: number, key: string, path?: string): Promise<Carry> {
  const all = path ? await load(path, width, key) : new Map<string, Map<number, Entry>>();
  return {
    get: (series, time, of) => {
      const found = all.get(series)?.get(time);
      return found?.of === of ? found.numbers : undefined;
    },
    set: (series, time, of, numbers) => {
      const own = all.get(series) ?? new Map();
      all.set(series, own);
      own.set(time, { of, numbers });
    },
    prune: (frames) => {
      for (const own of all.values()) {
        if (own.size <= frames) continue;
        const gone = [...own.keys()].sort((a, b) => a - b).slice(0, own.size - frames);
        for (const time of gone) own.delete(time);
      }
    },
    save: (file) => save(file, all, width, key),
  };
}

/** The carry as `predictFrames` takes it: the members' features lie one after the other in one row. */
export function carriedByMember(
  carry: Carry,
  frames: readonly { series: string; time: number; of: string }[],
  size: number,
): CarriedFeatures {
  return {
    get: (frame) => {
      const { series, time, of } = frames[frame];
      const row = carry.get(series, time, of);
      if (!row) return undefined;
      return Array.from({ length: row.length / size }, (_, m) => row.subarray(m * size, (m + 1) * size));
    },
    set: (frame, features) => {
      const { series, time, of } = frames[frame];
      const row = new Float32Array(features.length * size);
      features.forEach((own, m) => {
        row.set(own, m * size);
      });
      carry.set(series, time, of, row);
    },
  };
}

type All = Map<string, Map<number, Entry>>;

/** One tensor `[frames, width]` a series; what it was made from is in the metadata. */
async function save(path: string, all: All, width: number, key: string): Promise<void> {
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  const frames: Record<string, [time: number, of: string, there: 0 | 1][]> = {};
  for (const [series, own] of all) {
    const values = new Float32Array(own.size * width);
    [...own.values()].forEach(({ numbers }, i) => {
      if (numbers) values.set(numbers, i * width);
    });
    tensors.set(series, { shape: [own.size, width], values });
    frames[series] = [...own].map(([time, { of, numbers }]) => [time, of, numbers ? 1 : 0]);
  }
  await writeSafetensors(path, { tensors, metadata: { key, frames: JSON.stringify(frames) } });
}

async function load(path: string, width: number, key: string): Promise<All> {
  const all: All = new Map();
  const stored = await readSafetensors(path).catch((error) => {
    if (error.code === 'ENOENT' || isStormreelError(error)) return null;
    throw error;
  });
  if (stored?.metadata.key !== key) return all;
  const frames: Record<string, [number, string, 0 | 1][]> = JSON.parse(stored.metadata.frames ?? '{}');
  for (const [series, { shape, values }] of stored.tensors) {
    if (shape[1] !== width) continue;
    const entries = frames[series].map(([time, of, there], i): [number, Entry] => {
      const numbers = there ? values.slice(i * width, (i + 1) * width) : null;
      return [time, { of, numbers }];
    });
    all.set(series, new Map(entries));
  }
  return all;
}
