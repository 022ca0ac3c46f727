/** What must hold after a round: one line a fault, none when all is well. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset, readPlan, verifyDataset } from '../../dist/pipeline/shards/index.js';
import { INGEST_QUEUE, openConnection } from '../../dist/workers/queues/index.js';
import { cellOf, timeOf } from './sources.mjs';

const READ_AT_ONCE = 500;

/** Every frame exactly once and in order, the shards as committed, nothing else in the folders. */
export async function checkDataset(dataset, { frames, hash }) {
  return [
    ...(await checkPlan(dataset, frames)),
    ...(await checkFrames(dataset, frames, hash)),
    ...(await verifyDataset(dataset)).faults.map(({ slot, problem }) => `verify: ${slot}: ${problem}`),
    ...checkFiles(dataset),
  ];
}

async function checkPlan(dataset, frames) {
  const { revision, slots } = await readPlan(dataset);
  const planned = slots.flatMap((slot) => slot.frames.map(({ time }) => time));
  const faults = revision === 1 ? [] : [`the plan has ${revision} revisions`];
  if (planned.length !== frames || new Set(planned).size !== frames)
    faults.push(
      `${planned.length} frames are planned, ${new Set(planned).size} of them different; expected ${frames}`,
    );
  return faults;
}

async function checkFrames(dataset, frames, hash) {
  const store = await openDataset(dataset);
  const faults = store.hash === hash ? [] : [`dataset hash ${store.hash} instead of ${hash}`];
  if (store.index.length !== frames) faults.push(`${store.index.length} frames instead of ${frames}`);
  const cells = store.description.grid.width * store.description.grid.height;
  const values = new Float32Array(READ_AT_ONCE * cells);
  const valid = new Uint8Array(READ_AT_ONCE * cells);
  for (let from = 0; from < store.index.length; from += READ_AT_ONCE) {
    const wanted = Array.from(
      { length: Math.min(READ_AT_ONCE, store.index.length - from) },
      (_, i) => from + i,
    );
    await store.read(wanted, { values, valid });
    for (const [i, frame] of wanted.entries())
      if (
        store.index.time[frame] !== timeOf(frame) ||
        values[i * cells] !== cellOf(frame) ||
        !store.index.ok[frame]
      )
        faults.push(`frame ${frame} has time ${store.index.time[frame]} and first cell ${values[i * cells]}`);
  }
  await store.close();
  return faults.slice(0, 10);
}

/** Temporary files, shards that no commit names, commits that no slot has. */
function checkFiles(dataset) {
  const names = (folder) => readdirSync(join(dataset, folder), { recursive: true }).map(String);
  const commits = names('commits').map((name) =>
    JSON.parse(readFileSync(join(dataset, 'commits', name), 'utf8')),
  );
  const named = new Set(commits.map(({ shard }) => shard.slice('shards/'.length)));
  const temporary = ['.', 'plan', 'commits', 'shards'].flatMap((folder) =>
    (folder === '.' ? readdirSync(dataset) : names(folder)).filter((name) => name.includes('.tmp-')),
  );
  const stray = names('shards').filter((name) => name.endsWith('.arrow') && !named.has(name));
  return [
    ...temporary.map((name) => `temporary file ${name}`),
    ...stray.map((name) => `stray shard ${name}`),
  ];
}

/** Jobs that wait, run or are put off. */
export async function checkQueue(place) {
  const connection = await openConnection(place);
  const counts = await connection.queue(INGEST_QUEUE).getJobCounts();
  await connection.close();
  return ['waiting', 'active', 'delayed', 'waiting-children', 'prioritized', 'paused', 'failed']
    .filter((state) => counts[state] > 0)
    .map((state) => `the queue holds ${counts[state]} jobs in state ${state}`);
}
