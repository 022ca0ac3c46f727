/** Windows a second and processor time a window after a second of warming up, and what was seen, so that contenders can be compared. */
const WARM_SECONDS = 1;
/** Windows whose sum is compared where a contender does not come round in time. */
const HEAD = 256;

export function meter({ epoch, seconds }) {
  const began = performance.now();
  let [seen, sum, head, whole] = [0, 0, null, null];
  let [from, start, now] = [0, null, began];
  let cpu = 0;
  return {
    /** Counts a batch by the first number of each of its windows; true when time is up. */
    done(firsts) {
      for (const first of firsts) {
        sum += first;
        if (++seen === HEAD) head = sum;
        if (seen === epoch) whole = sum;
      }
      now = performance.now();
      if (start === null && now - began > 1000 * WARM_SECONDS) [start, from, cpu] = [now, seen, cpuMicros()];
      return start !== null && now - start > 1000 * seconds;
    },
    result: () => ({
      windowsPerSecond: ((seen - from) / (now - start)) * 1000,
      cpuMicros: (cpuMicros() - cpu) / (seen - from),
      head,
      whole,
    }),
  };
}

/** Processor time of all threads so far. */
function cpuMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
