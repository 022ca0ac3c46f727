/** Numbers on the command line. */
import { ConfigError } from '../pipeline/errors.js';

/** ConfigError unless `text` is a whole number within the limits. */
export function whole(flag: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new ConfigError(`${flag} is "${text}"; expected a whole number from ${low} to ${high}`, {
    hint: `e.g. ${flag} ${Math.max(low, 4)}`,
    fields: { flag, value: text },
  });
}
