import { describe, expect, it } from 'vitest';
import { type Part, partQueue, queueWords, READ, UNPACK } from '../../pipeline/sequences/partQueue.js';

const part = (kind: number, slot: number, from = 0): Part => ({ kind, slot, from, to: from + 1 });

describe('partQueue', () => {
  it('gives parts in the order they were put in, each once, and tells when a batch is made', () => {
    const queue = partQueue(queueWords(2, 8), 2);
    const parts = [part(READ, 0), part(READ, 0, 1), part(UNPACK, 0), part(UNPACK, 0, 1)];
    queue.open(0, 0, { reads: 2, unpacks: 2 });
    queue.publish(parts);
    expect([queue.claim(), queue.claim()]).toEqual(parts.slice(0, 2));
    queue.finish(parts[0]);
    expect(queue.claim()).toBeNull(); // the other read is under way
    queue.finish(parts[1]);
    expect([queue.claim(), queue.claim(), queue.claim()]).toEqual([parts[2], parts[3], null]);
    queue.finish(parts[2]);
    expect(queue.made(0)).toBe(false);
    queue.finish(parts[3]);
    expect([queue.made(0), queue.failed(0)]).toEqual([true, false]);
  });

  it('lets nothing be unpacked before the reads of earlier batches, and waits for none of later ones', () => {
    const queue = partQueue(queueWords(2, 4), 2);
    queue.open(0, 7, { reads: 1, unpacks: 1 });
    queue.publish([part(READ, 0), part(UNPACK, 0)]);
    queue.open(1, 8, { reads: 1, unpacks: 1 });
    queue.publish([part(READ, 1), part(UNPACK, 1)]);
    const [first] = [queue.claim()!];
    expect(queue.claim()).toBeNull();
    queue.finish(first, 'failed');
    expect([queue.failed(0), queue.failed(1)]).toEqual([true, false]);
    expect(queue.claim()).toEqual(part(UNPACK, 0)); // although batch 8 is not read
    const second = queue.claim()!;
    expect(second).toEqual(part(READ, 1));
    expect(queue.claim()).toBeNull();
    queue.finish(second);
    expect(queue.claim()).toEqual(part(UNPACK, 1));
  });

  it('leaves parts of another kind to others when asked to', () => {
    const queue = partQueue(queueWords(1, 4), 1);
    queue.open(0, 0, { reads: 1, unpacks: 1 });
    queue.publish([part(READ, 0), part(UNPACK, 0)]);
    expect(queue.claim(UNPACK)).toBeNull();
    queue.finish(queue.claim()!);
    expect(queue.claim(UNPACK)).toEqual(part(UNPACK, 0));
  });

  it('goes on when its counters pass 2^31', () => {
    const words = queueWords(1, 2);
    words.fill(0x7ffffffe, 0, 3); // progress, published, claimed
    const queue = partQueue(words, 1);
    for (let i = 0; i < 6; i++) {
      const sequence = (0x7ffffffe + i) | 0;
      const seen = queue.progress();
      queue.open(0, sequence, { reads: 1, unpacks: 1 });
      queue.publish([part(READ, 0, i), part(UNPACK, 0, i)]);
      expect(queue.progress()).not.toBe(seen);
      for (const kind of [READ, UNPACK]) {
        const next = queue.claim();
        expect(next).toEqual(part(kind, 0, i));
        queue.finish(next!);
      }
      expect([queue.made(0), queue.claim()]).toEqual([true, null]);
    }
  });

  it('sleeps no longer than asked, and not at all when something has changed', () => {
    const queue = partQueue(queueWords(1, 2), 1);
    const began = performance.now();
    queue.wait(queue.progress(), 20);
    expect(performance.now() - began).toBeGreaterThan(10);
    queue.wait(queue.progress() - 1); // would never return
  });
});
