/** Logits of finished folds in run/calibration, found again by the hash of what they were made from. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Split } from '../../sequences/index.js';
import { writeWhole } from '../files/csv.js';

/** `made`: all but data and split that decides the numbers; the split's hash stands for dataset, labels and parts. */
export function keptLogits(runDir: string, made: unknown) {
  const path = (split: Split) => {
    const key = createHash('sha256').update(split.hash).update(JSON.stringify(made)).digest('hex');
    return join(runDir, 'calibration', `${key.slice(0, 24)}.f32`);
  };
  return {
    async recall(split: Split): Promise<Float32Array | null> {
      const bytes = await readFile(path(split)).catch(() => null);
      if (!bytes || bytes.length % 4 !== 0) return null;
      return new Float32Array(Uint8Array.from(bytes).buffer);
    },
    remember(split: Split, logits: Float32Array): Promise<void> {
      return writeWhole(path(split), new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
    },
  };
}
