/** log.jsonl: one line a step, appended; on resume cut back to what the checkpoint had seen. */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** One line of log.jsonl. */
export interface StepRecord {
  member: number;
  /** Updates done, this one included. */
  step: number;
  epoch: number;
  loss: number;
  learningRate: number;
  /** Global norm of the gradient before clipping. */
  gradientNorm: number;
  framesPerSecond: number;
  /** Share of time spent waiting for frames, 0 to 1. */
  waiting: number;
  /** Hash of the windows of this step: two runs with the same hashes saw the same samples in the same order. */
  order: string;
  /** Validation average precision, where this step was evaluated. */
  validationAp?: number | null;
}

export interface StepLog {
  write(record: StepRecord): void;
  /** Bytes written so far. */
  bytes(): number;
  close(): void;
}

/** Opens `path` and keeps its first `keepBytes` bytes; null for a log that goes nowhere. */
export function openLog(path: string | null, keepBytes: number): StepLog {
  if (path === null) return { write: () => {}, bytes: () => 0, close: () => {} };
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a');
  if (fstatSync(file).size > keepBytes) ftruncateSync(file, keepBytes);
  let bytes = fstatSync(file).size;
  return {
    write(record) {
      bytes += writeSync(file, `${JSON.stringify(record)}\n`);
    },
    bytes: () => bytes,
    close: () => closeSync(file),
  };
}
