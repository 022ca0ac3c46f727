import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../workers/queues/index.js';
import { within } from '../../workers/queues/within.js';
import { watchOne } from '../../workers/watch.js';

afterEach(() => void vi.useRealTimers());

/** A queue whose server answers looks as `state` does. */
function connectionTo(state: () => Promise<string>): Connection {
  const outcomes = new EventEmitter();
  const queue = { getJobState: state, getJob: async () => null };
  return {
    where: 'redis://host:6379',
    outcomes: () => outcomes,
    queue: () => queue,
  } as unknown as Connection;
}
const watched = { queue: 'q', id: 'p' };
const never = () => new Promise<never>(() => {});

describe('watchOne()', () => {
  it('gives up with a QueueError when the queue has not answered for a minute', async () => {
    vi.useFakeTimers();
    const outcome = watchOne(connectionTo(never), watched).catch((error) => error);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await Promise.race([outcome, 'waiting'])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toMatchObject({ tag: 'QueueError', fields: { where: 'redis://host:6379' } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits on through a fault that passes', async () => {
    vi.useFakeTimers();
    let looks = 0;
    const state = async () => {
      if (++looks < 50 || (looks > 50 && looks < 100)) throw new Error('away');
      return looks === 100 ? 'completed' : 'active';
    };
    const outcome = watchOne(connectionTo(state), watched).then(() => 'done');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await outcome).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('within()', () => {
  it('tells work that ended from work that is left behind', async () => {
    expect(await within(Promise.reject(new Error('no')), 50)).toBe(true);
    expect(await within(never(), 10)).toBe(false);
  });
});
