/** Frames a second and the share of time spent waiting for them. */
export function meter(now: () => number = () => performance.now()) {
  const started = now();
  let [count, waited] = [0, 0];
  return {
    frames(n: number): void {
      count += n;
    },
    /** Times what `work` waits. */
    async waiting<A>(work: () => Promise<A>): Promise<A> {
      const before = now();
      const result = await work();
      waited += now() - before;
      return result;
    },
    rates(): { framesPerSecond: number; waiting: number } {
      const spent = Math.max(1e-3, now() - started);
      return {
        framesPerSecond: Math.round((count * 1e4) / spent) / 10,
        waiting: Math.round((waited * 1000) / spent) / 1000,
      };
    },
  };
}
