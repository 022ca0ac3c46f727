/** Times by the CF conventions, section 4.4: `hours since 1800-01-01 00:00:0.0` on a real-world calendar. */
import { TimeError } from '../../errors.js';

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY = 86_400_000;
/** First day of the Gregorian calendar, 1582-10-15. */
const REFORM = Date.UTC(1582, 9, 15);

/** Function from a number on the axis to ms UTC. TimeError: units or calendars that are no instants in UTC. */
export function cfTime(
  units: string | undefined,
  calendar: string | undefined,
  path: string,
): (value: number) => number {
  const match =
    /^\s*(s|sec|secs|second|seconds|min|mins|minute|minutes|h|hr|hrs|hour|hours|d|day|days)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2}(?:\.\d*)?))?)?\s*(Z|UTC|GMT|[+-]0?0:?00|\+?0)?\s*$/i.exec(
      units ?? '',
    );
  if (!match)
    throw new TimeError(`the time axis of ${path} has units "${units ?? ''}"`, {
      hint: 'CF units in UTC were expected, such as "hours since 1900-01-01"; convert the axis first (cdo setreftime)',
      fields: { path, units },
    });
  const name = (calendar ?? 'standard').toLowerCase();
  const mixed = name === 'standard' || name === 'gregorian';
  if (!mixed && name !== 'proleptic_gregorian')
    throw new TimeError(`the time axis of ${path} is on the calendar "${calendar}"`, {
      hint: 'model calendars have dates that do not exist; convert the axis to the standard calendar first (cdo setcalendar)',
      fields: { path, calendar },
    });
  const [, unit, year, month, day, hour = '0', minute = '0', second = '0'] = match;
  let start = dayNumber(+year, +month, +day) * DAY;
  // In the mixed calendar a day before the reform is a Julian one.
  if (mixed && start < REFORM) start = julianDayNumber(+year, +month, +day) * DAY;
  start += +hour * UNIT_MS.h + +minute * UNIT_MS.m + Number(second) * 1000;
  const step = UNIT_MS[unit.toLowerCase().startsWith('min') ? 'm' : unit[0].toLowerCase()];
  return (value) => {
    const time = Math.round(start + value * step);
    if (Number.isFinite(time)) return time;
    throw new TimeError(`the time axis of ${path} holds ${value}`, {
      hint: 'repair the axis of the file',
      fields: { path },
    });
  };
}

/** Days since 1970-01-01 of a Gregorian date, years 0 to 9999. */
function dayNumber(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / DAY);
}

/** Days since 1970-01-01 of a Julian date (Meeus, Astronomical Algorithms, chapter 7). */
function julianDayNumber(year: number, month: number, day: number): number {
  const [y, m] = month <= 2 ? [year - 1, month + 12] : [year, month];
  return Math.floor(365.25 * (y + 4716)) + Math.floor(30.6001 * (m + 1)) + day - 1524.5 - 2440587.5;
}
