/**
 * What checking every frame costs: time of the crc32 of frames beside the whole of reading them (range read, crc, unpacking).
 *
 *   npm run bench:crc -- [--frames 4000] [--rounds 5] [--json]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { openDataset } from '../../dist/pipeline/shards/index.js';
import { makeData } from './data.mjs';

const { values: options } = parseArgs({
  options: {
    frames: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const SIZE = 64;
const AT_ONCE = 32;
const BYTES = SIZE * SIZE * 3;
const frames = Number(options.frames);
const folder = join(tmpdir(), `stormreel-bench-crc-${frames}`);
await makeData(folder, { frames, size: SIZE, raw: false });
const store = await openDataset(join(folder, 'dataset'));
const out = { values: new Float32Array(AT_ONCE * BYTES), valid: new Uint8Array(AT_ONCE * SIZE * SIZE) };
const stored = Uint8Array.from({ length: AT_ONCE * BYTES }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

async function read() {
  for (let from = 0; from + AT_ONCE <= frames; from += AT_ONCE)
    await store.read(
      Array.from({ length: AT_ONCE }, (_, k) => from + k),
      out,
    );
}

function check() {
  for (let f = 0; f < frames; f++) {
    const at = (f % AT_ONCE) * BYTES;
    crc32(stored.subarray(at, at + BYTES));
  }
}

/** Processor time, which other programs disturb least; ms. */
async function timed(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

await read();
check();
const rounds = [];
for (let round = 0; round < Number(options.rounds); round++)
  rounds.push({ reading: await timed(read), crc: await timed(check) });
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const reading = median(rounds.map((round) => round.reading));
const crc = median(rounds.map((round) => round.crc));
const result = {
  frames,
  'reading, us a frame': Math.round((reading / frames) * 10_000) / 10,
  'crc, us a frame': Math.round((crc / frames) * 10_000) / 10,
  'share of the crc': Math.round((crc / reading) * 1000) / 1000,
  'crc, MB/s': Math.round((frames * BYTES) / crc / 1000),
};
await store.close();
if (options.json) console.log(JSON.stringify(result));
else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(22)} ${value}`);
