/** Strict ISO 8601 instants. A time without a zone, or a date without a time, is never guessed. */

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** What is wrong with a time that has no single meaning. */
export type InstantFault = 'not ISO 8601' | 'no such date or time' | 'no zone' | 'no time of day';

/** Milliseconds since 1970, UTC, or what is wrong. With `assumeUtc` a missing zone is UTC and a missing time 00:00. */
export function parseInstant(text: string, { assumeUtc }: { assumeUtc: boolean }): number | InstantFault {
  const match = ISO.exec(text);
  if (!match) return 'not ISO 8601';
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = match;
  if (hour === undefined && !assumeUtc) return 'no time of day';
  if (zone === undefined && !assumeUtc) return 'no zone';
  const numbers = [year, month, day, hour ?? '0', minute ?? '0', second].map(Number);
  const local = Date.UTC(numbers[0], numbers[1] - 1, numbers[2], numbers[3], numbers[4], numbers[5]);
  if (!sameFields(local, numbers)) return 'no such date or time';
  const offset = zoneMinutes(zone);
  if (offset === undefined) return 'no such date or time';
  return local + Math.round(Number(`0.${fraction || 0}`) * 1000) - offset * 60_000;
}

/** `2017-08-31T06:00Z`: minutes unless there are seconds. */
export function formatInstant(time: number): string {
  const iso = new Date(time).toISOString();
  if (!iso.endsWith('.000Z')) return iso;
  return iso.endsWith(':00.000Z') ? `${iso.slice(0, 16)}Z` : `${iso.slice(0, 19)}Z`;
}

/** Date.UTC turns 30 February into 1 March; such a date is refused. */
function sameFields(time: number, [year, month, day, hour, minute, second]: number[]): boolean {
  const date = new Date(time);
  return (
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  );
}

function zoneMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
