/** Seconds between two moments, the last few thousand of them: median and 95th percentile. */
export interface Latencies {
  add(seconds: number): void;
  /** Null without any. `n` counts all. */
  summary(): { n: number; p50: number; p95: number } | null;
}

const KEPT = 10_000;

export function latencies(): Latencies {
  const kept: number[] = [];
  let n = 0;
  return {
    add: (seconds) => {
      kept[n++ % KEPT] = seconds;
    },
    summary: () => {
      if (n === 0) return null;
      const sorted = Float64Array.from(kept).sort();
      const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
      return { n, p50: at(0.5), p95: at(0.95) };
    },
  };
}
