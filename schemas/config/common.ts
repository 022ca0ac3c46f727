import * as z from 'zod';

/** A whole number of things, at least 1. */
export const Count = z.int().min(1);
/** A share or probability, 0 to 1. */
export const Share = z.number().min(0).max(1);
/** ISO 8601 instant with a zone, or a plain date that means 00:00 UTC. */
export const Instant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/,
    'expected 2017-08-31 or 2017-08-31T06:00Z',
  );
/** A span of time such as `3h`, `-12h`, `30min`, `10d`. */
export const Span = z
  .string()
  .regex(/^-?\d+(\.\d+)?(s|min|h|d)$/, 'expected a span such as 3h, 30min or 10d');
/** A span that is not negative, e.g. `3h`. */
export const Duration = z
  .string()
  .regex(/^\d+(\.\d+)?(s|min|h|d)$/, 'expected a span such as 3h, 30min or 10d, not negative');

const UNIT_MS = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a checked `Span`. */
export function spanMs(span: string): number {
  const unit = span.replace(/^[-\d.]+/, '') as keyof typeof UNIT_MS;
  return Number.parseFloat(span) * UNIT_MS[unit];
}
