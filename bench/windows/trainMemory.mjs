/**
 * Memory of training over a dataset that is many times as large as `training.memoryMiB`: anonymous and shared memory of
 * the process (Linux), looked at all along one epoch.
 *
 *   npm run bench:memory -- --train [--memory-mib 32] [--times 20] [--json]
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitChannels } from '../../dist/pipeline/channels/index.js';
import { openDataset } from '../../dist/pipeline/shards/index.js';
import { fitModel } from '../../dist/pipeline/training/index.js';
import { ChannelsConfig, ModelConfig, TrainingConfig } from '../../dist/schemas/config/index.js';
import { makeData } from './data.mjs';

const SIZE = 64;
const MIB = 2 ** 20;
/** Float32 channels of one frame. */
const FRAME_BYTES = SIZE * SIZE * 3 * 4;

export async function trainingMemory({ memoryMiB, times }) {
  const frames = Math.ceil((memoryMiB * times * MIB) / FRAME_BYTES);
  const folder = join(tmpdir(), `stormreel-bench-memory-${frames}`);
  await makeData(folder, { frames, size: SIZE, raw: false });
  const store = await openDataset(join(folder, 'dataset'));
  const model = ModelConfig.parse({
    encoder: { kind: 'evidence', widths: [4], margin: 1 },
    head: { kind: 'none' },
  });
  const training = TrainingConfig.parse({
    ...{ windowLength: 8, windowStride: 4, batch: 8, epochs: 1, ensemble: 1, memoryMiB, centre: 0 },
    ...{ checkpointEvery: 1_000_000, evaluateEvery: 1_000_000 },
  });
  const some = Array.from({ length: 200 }, (_, k) => Math.floor((k * frames) / 200));
  const channels = await fitChannels(store, some, ChannelsConfig.parse({}));
  const samples = [];
  let waiting = '';
  const began = performance.now();
  await fitModel({
    store,
    labels: labelsOf(frames),
    split: {
      part: new Uint8Array(frames),
      config: { by: 'none' },
      hash: '',
      embargoMs: 0,
      leaky: false,
      notes: [],
    },
    ...{ model, training, channels },
    onProgress({ stage, done, total, note }) {
      if (stage !== 'train') return;
      waiting = /waiting \d+ %/.exec(note ?? '')?.[0] ?? waiting;
      samples.push({ share: done / total, mib: memoryMiBNow() });
    },
  });
  await store.close();
  const at = (share) => Math.round(samples.find((sample) => sample.share >= share)?.mib ?? Number.NaN);
  const mostIn = (from, to) =>
    Math.round(Math.max(...samples.filter(({ share }) => share >= from && share < to).map(({ mib }) => mib)));
  return {
    frames,
    framesMiB: Math.round((frames * FRAME_BYTES) / MIB),
    memoryMiB,
    seconds: Math.round((performance.now() - began) / 1000),
    waiting,
    samplesMiB: [0, 0.1, 0.25, 0.5, 0.75, 0.99].map(at).join(', '),
    mostBeforeHalfMiB: mostIn(0, 0.5),
    mostAfterHalfMiB: mostIn(0.5, 1.01),
  };
}

function memoryMiBNow() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kib = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
  return (kib('RssAnon') + kib('RssShmem')) / 1024;
}

/** A storm in three frames of ten. */
function labelsOf(frames) {
  const blank = new Float32Array(frames).fill(Number.NaN);
  return {
    label: Int8Array.from({ length: frames }, (_, f) => (f % 10 < 3 ? 1 : 0)),
    ignore: new Uint8Array(frames),
    event: new Int32Array(frames).fill(-1),
    ...{ lat: blank, lon: blank, hash: '', source: 'bench', notes: [] },
  };
}
