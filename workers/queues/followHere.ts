/** Jobs of a queue inside this process: its workers tell how they end, and states are looked up in case they do not. */
import type { Queue } from 'bullmq';
import type { Told } from './follow.js';
import type { Outcomes } from './outcomes.js';

const LOOK_EVERY_MS = 1_000;
const LOOK_AT = 50;

export function followHere(
  queue: Queue,
  outcomes: Outcomes,
  waiting: ReadonlySet<string>,
  told: Told,
): () => void {
  outcomes.on('completed', ({ jobId }) => told.completed(jobId));
  outcomes.on('failed', ({ jobId, failedReason }) => told.failed(jobId, failedReason));
  outcomes.on('progress', ({ jobId, data }) => told.progress(jobId, data));
  let over = false;
  let timer: NodeJS.Timeout;
  const next = partsOf(waiting);
  const look = () =>
    lookUp(queue, next(LOOK_AT), told)
      .then(() => told.answered())
      .catch(() => {}) // the database is busy for a moment
      .finally(() => {
        if (!over) timer = setTimeout(look, LOOK_EVERY_MS);
      });
  timer = setTimeout(look, LOOK_EVERY_MS);
  return () => {
    over = true;
    clearTimeout(timer);
    for (const event of ['completed', 'failed', 'progress'] as const) outcomes.removeAllListeners(event);
  };
}

/** Each call gives the next few of a set that changes meanwhile; after the last come the first again. */
export function partsOf(set: ReadonlySet<string>): (count: number) => string[] {
  let places = set.values();
  return (count) => {
    const part: string[] = [];
    for (let begun = false; part.length < Math.min(count, set.size); ) {
      const { value, done } = places.next();
      if (!done) part.push(value);
      else if (begun) break;
      else {
        begun = true;
        places = set.values();
      }
    }
    return part;
  };
}

async function lookUp(queue: Queue, ids: readonly string[], told: Told): Promise<void> {
  const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
  for (const [i, id] of ids.entries())
    if (states[i] === 'completed') told.completed(id);
    else if (states[i] === 'failed') told.failed(id, await reasonOf(queue, id));
    else if (states[i] === 'unknown') told.lost();
}

export const reasonOf = async (queue: Queue, id: string): Promise<string> =>
  (await queue.getJob(id))?.failedReason ?? 'no reason was kept';
