/**
 * Jobs of a queue on Redis, followed by looking them up. Workers take jobs in the order in which they were added, so a
 * look begins at the front of those that are left and goes on as long as it finds ended ones.
 */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { endingsOf } from './endings.js';
import type { Told } from './follow.js';
import { partsOf, reasonOf } from './followHere.js';
import { hasten } from './putOff.js';

/** Jobs of the first command of a look; each further one takes twice as many. */
const FIRST_PART = 64;
const MOST_IN_PART = 2_048;
/** Between two looks, ms. */
const [SHORTEST_MS, LONGEST_MS] = [2, 250];
/** What ends out of order, what the queue lost and how far running jobs are is looked up this often, ms. */
const LOOK_AROUND_EVERY_MS = 1_000;
const FAR_OUT = 2_000;
const CLOSELY = 5;

export function followOnRedis(queue: Queue, waiting: ReadonlySet<string>, told: Told): () => void {
  const next = partsOf(waiting);
  const pause = pauses(waiting.size);
  let around = Date.now();
  let over = false;
  let timer: NodeJS.Timeout;
  const look = async () => {
    await lookAlong(queue, waiting, told);
    if (Date.now() - around < LOOK_AROUND_EVERY_MS) return;
    around = Date.now();
    await tellEnds(queue, next(FAR_OUT), told);
    await tellProgress(queue, waiting, told);
    await lookClosely(queue, [...firstOf(waiting, CLOSELY)], told);
  };
  const turn = () =>
    look()
      .then(() => told.answered())
      .catch(() => {}) // the server is away for a moment
      .finally(() => {
        if (!over) timer = setTimeout(turn, pause(waiting.size));
      });
  timer = setTimeout(turn, SHORTEST_MS);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/**
 * How long to wait for the next look, ms: half of what the rest should take at the pace so far, so that the end of the last is
 * seen at once although long runs are seldom looked at; twice as long as before where nothing has ended.
 */
function pauses(jobs: number): (left: number) => number {
  const began = Date.now();
  let before = jobs;
  let pause = SHORTEST_MS;
  return (left) => {
    const perJob = (Date.now() - began) / (jobs - left);
    pause = left === before ? 2 * pause : (perJob * left) / 2;
    before = left;
    pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, pause));
    return pause;
  };
}

async function lookAlong(queue: Queue, waiting: ReadonlySet<string>, told: Told): Promise<void> {
  for (let size = FIRST_PART; waiting.size > 0; size = Math.min(2 * size, MOST_IN_PART)) {
    const ids = [...firstOf(waiting, size)];
    if ((await tellEnds(queue, ids, told)) < ids.length / 2) return;
  }
}

function* firstOf(set: ReadonlySet<string>, count: number): Generator<string> {
  let left = count;
  for (const id of set) {
    if (left-- <= 0) return;
    yield id;
  }
}

/** How many have ended. */
async function tellEnds(queue: Queue, ids: readonly string[], told: Told): Promise<number> {
  const endings = await endingsOf(queue, ids);
  let ended = 0;
  for (const [i, id] of ids.entries()) {
    if (endings[i] === 'open') continue;
    ended++;
    if (endings[i] === 'completed') told.completed(id);
    else if (endings[i] === 'failed') told.failed(id, await reasonOf(queue, id));
    else told.lost();
  }
  return ended;
}

/** What running jobs said last. */
async function tellProgress(queue: Queue, waiting: ReadonlySet<string>, told: Told): Promise<void> {
  const client = (await queue.backend.client) as unknown as Redis;
  const active = await client.lrange(queue.toKey('active'), 0, -1);
  for (const id of active.filter((each) => waiting.has(each))) {
    const text = await client.hget(queue.toKey(id), 'progress');
    if (text) told.progress(id, JSON.parse(text));
  }
}

/** A job in no list is never taken; one that was put off for others may be wanted now. */
async function lookClosely(queue: Queue, ids: readonly string[], told: Told): Promise<void> {
  for (const id of ids) {
    const state = await queue.getJobState(id);
    if (state === 'delayed') await hasten(queue, id);
    if (state !== 'unknown') continue;
    await queue.remove(id, { removeChildren: false });
    told.lost();
  }
}
