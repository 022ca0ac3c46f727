/** Bars with rate and remaining time on stderr; plain lines every few seconds where stderr is no terminal. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { OnProgress } from '../pipeline/progress.js';

const LINE_EVERY_MS = 5_000;
const SHOW_AFTER_MS = 500;

export interface Bars {
  update: OnProgress;
  log(line: string): void;
  stop(): void;
}

export function progressBars(enabled: boolean): Bars {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  if (!enabled) return { update: () => {}, log, stop: () => {} };
  return process.stderr.isTTY ? terminalBars() : plainLines(log);
}

function terminalBars(): Bars {
  const multi = new MultiBar(
    {
      format: '{stage} {bar} {value}/{total} {unit} {rate}/s {left} left {note}',
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      etaBuffer: 50,
    },
    Presets.shades_classic,
  );
  const bars = new Map<string, { bar: SingleBar; pace: Pace }>();
  return {
    update: ({ stage, done, total, unit, note = '' }) => {
      const entry = bars.get(stage) ?? { bar: multi.create(total, 0, {}), pace: pace() };
      bars.set(stage, entry);
      entry.bar.setTotal(total);
      entry.bar.update(done, { stage: stage.padEnd(10), unit, note, ...entry.pace(done, total) });
    },
    log: (line) => multi.log(`${line}\n`),
    stop: () => multi.stop(),
  };
}

function plainLines(log: (line: string) => void): Bars {
  const seen = new Map<string, { started: number; printed: number; pace: Pace }>();
  return {
    update: ({ stage, done, total, unit, note = '' }) => {
      const now = Date.now();
      const printed = now - LINE_EVERY_MS + SHOW_AFTER_MS;
      const entry = seen.get(stage) ?? { started: now, printed, pace: pace() };
      seen.set(stage, entry);
      const { rate, left } = entry.pace(done, total);
      if (now - entry.printed < LINE_EVERY_MS && !(done === total && now - entry.started > 2_000)) return;
      entry.printed = now;
      log(`${stage}: ${done}/${total} ${unit}, ${rate}/s, ${left} left ${note}`.trimEnd());
    },
    log,
    stop: () => {},
  };
}

type Pace = (done: number, total: number) => { rate: string; left: string };

/** Rate and remaining time since a stage began; one that is done again, as in a fold, begins anew. */
export function pace(now: () => number = Date.now): Pace {
  let [started, from, last] = [now(), -1, -1];
  return (done, total) => {
    if (from < 0 || done < last) [started, from] = [now(), from < 0 && done < total ? done : 0];
    last = done;
    const seconds = (now() - started) / 1000;
    const rate = (done - from) / Math.max(seconds, 1e-3);
    const left = rate > 0 ? (total - done) / rate : Number.NaN;
    return {
      rate: rate >= 10 ? rate.toFixed(0) : rate.toFixed(2),
      left: Number.isFinite(left) ? duration(left) : '?',
    };
  };
}

/** Seconds as `41 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
