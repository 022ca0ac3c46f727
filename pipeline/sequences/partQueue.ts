/**
 * Batches are made in parts, which whoever has time takes: reader threads, and the calling thread instead of waiting for
 * them. The queue is a block of shared words; nobody sends a message to anybody, and parts are taken in the order they
 * were put in. One thread, the caller's, puts them in.
 */

/** Frames to read into the ring, or rows of the ring to unpack into a batch. */
export const READ = 0;
export const UNPACK = 1;

/** Entries `from` .. `to - 1` of the list of batch place `slot`. */
export interface Part {
  kind: number;
  slot: number;
  from: number;
  to: number;
}

export interface PartQueue {
  /** Makes ready for the batch `sequence` in `slot`, where nothing is left of another. */
  open(slot: number, sequence: number, counts: { reads: number; unpacks: number }): void;
  /** Puts parts in and wakes who waits for some. */
  publish(parts: readonly Part[]): void;
  /**
   * The next part, if it can be done now: unpacking waits for the reads of its batch and of those before.
   * With `only`, a part of another kind is left to others.
   */
  claim(only?: number): Part | null;
  finish(part: Part, outcome?: 'failed'): void;
  /** True when all parts of the batch are done. */
  made(slot: number): boolean;
  /** True when a part of it failed. */
  failed(slot: number): boolean;
  /** Changes whenever there may be something to do. */
  progress(): number;
  /** Sleeps until progress is another than `seen`, or for so long; ms. */
  wait(seen: number, most?: number): void;
}

/** Words: four counters, four a slot, four an entry of the queue. Counters wrap, so they are compared by difference. */
const PROGRESS = 0;
const PUBLISHED = 1;
const CLAIMED = 2;
/** How many sleep; nobody is woken where nobody does. */
const SLEEPING = 3;
const SLOTS = 4;
const SLOT_WORDS = 4;
const [SEQUENCE, READS_LEFT, UNPACKS_LEFT, FAILED] = [0, 1, 2, 3];
const ENTRY_WORDS = 4;
/** Looks at the progress before going to sleep, some microseconds: sleeping and waking take longer. */
const LOOKS = 2000;

/** Words for so many batches of at most so many parts each. */
export function queueWords(slots: number, parts: number): Int32Array {
  const entries = 2 ** Math.ceil(Math.log2(slots * parts)); // a place is a counter's last bits
  const words = SLOTS + slots * SLOT_WORDS + entries * ENTRY_WORDS;
  return new Int32Array(new SharedArrayBuffer(4 * words));
}

export function partQueue(words: Int32Array, slots: number): PartQueue {
  const first = SLOTS + slots * SLOT_WORDS;
  const last = (words.length - first) / ENTRY_WORDS - 1;
  const word = (slot: number, name: number) => SLOTS + slot * SLOT_WORDS + name;
  const get = (slot: number, name: number) => Atomics.load(words, word(slot, name));

  function moved(): void {
    Atomics.add(words, PROGRESS, 1);
    if (Atomics.load(words, SLEEPING) > 0) Atomics.notify(words, PROGRESS);
  }

  function allRead(slot: number): boolean {
    const sequence = get(slot, SEQUENCE);
    for (let other = 0; other < slots; other++)
      if (((get(other, SEQUENCE) - sequence) | 0) <= 0 && get(other, READS_LEFT) > 0) return false;
    return true;
  }

  return {
    open(slot, sequence, { reads, unpacks }) {
      Atomics.store(words, word(slot, SEQUENCE), sequence);
      Atomics.store(words, word(slot, READS_LEFT), reads);
      Atomics.store(words, word(slot, UNPACKS_LEFT), unpacks);
      Atomics.store(words, word(slot, FAILED), 0);
    },
    publish(parts) {
      const published = Atomics.load(words, PUBLISHED);
      parts.forEach(({ kind, slot, from, to }, i) => {
        words.set([kind, slot, from, to], first + ((published + i) & last) * ENTRY_WORDS);
      });
      Atomics.add(words, PUBLISHED, parts.length);
      moved();
    },
    claim(only) {
      for (;;) {
        const place = Atomics.load(words, CLAIMED);
        if (((Atomics.load(words, PUBLISHED) - place) | 0) <= 0) return null;
        // Looked at before it is taken: what was read is right if nobody took it meanwhile.
        const at = first + (place & last) * ENTRY_WORDS;
        const part = { kind: words[at], slot: words[at + 1], from: words[at + 2], to: words[at + 3] };
        const free = (only === undefined || part.kind === only) && (part.kind === READ || allRead(part.slot));
        if (Atomics.load(words, CLAIMED) !== place) continue;
        if (!free) return null;
        if (Atomics.compareExchange(words, CLAIMED, place, place + 1) === place) return part;
      }
    },
    finish({ kind, slot }, outcome) {
      if (outcome === 'failed') Atomics.store(words, word(slot, FAILED), 1);
      const left = Atomics.sub(words, word(slot, kind === READ ? READS_LEFT : UNPACKS_LEFT), 1) - 1;
      if (left === 0) moved();
    },
    made: (slot) => get(slot, READS_LEFT) === 0 && get(slot, UNPACKS_LEFT) === 0,
    failed: (slot) => get(slot, FAILED) === 1,
    progress: () => Atomics.load(words, PROGRESS),
    wait(seen, most) {
      for (let look = 0; look < LOOKS; look++) if (Atomics.load(words, PROGRESS) !== seen) return;
      Atomics.add(words, SLEEPING, 1);
      Atomics.wait(words, PROGRESS, seen, most);
      Atomics.sub(words, SLEEPING, 1);
    },
  };
}
