import { ConfigError } from '../pipeline/errors.js';

/** `--workers` as a number; undefined where it is not given. ConfigError for other text, and for 0 without a queue. */
export function workerCount({ workers, queue }: { workers?: string; queue?: string }): number | undefined {
  if (workers === undefined) return undefined;
  const count = Number(workers);
  if (count === 0 && !queue)
    throw new ConfigError(
      '--workers 0 leaves the work to workers elsewhere, which need a queue they can reach',
      {
        hint: 'add --queue redis://HOST:6379, or leave --workers out',
      },
    );
  if (Number.isInteger(count) && count >= 0) return count;
  throw new ConfigError(`--workers is "${workers}"; expected a whole number`, {
    hint: 'e.g. --workers 2',
    fields: { workers },
  });
}
