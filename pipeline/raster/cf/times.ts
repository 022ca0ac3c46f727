/** Times by the CF conventions, section 4.4: `hours since 1800-01-01 00:00:0.0` on real calendars, and on those of models by date. */
import { TimeError } from '../../errors.js';

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY = 86_400_000;
/** First day of the Gregorian calendar, 1582-10-15. */
const REFORM = Date.UTC(1582, 9, 15);

/** Calendars whose dates are days of this world. */
const REAL = ['standard', 'gregorian', 'proleptic_gregorian', 'julian'];

/** No calendar date lies further from 1970 (ECMAScript, section 21.4.1.1). */
const MOST_MS = 8.64e15;

/**
 * Function from a number on the axis to ms UTC. TimeError: units that are no instants in UTC, and calendars of models unless
 * `modelDates` says that their dates keep their names on the standard calendar; then a date that does not exist there.
 */
export function cfTime(
  units: string | undefined,
  calendar: string | undefined,
  path: string,
  { modelDates = false }: { modelDates?: boolean } = {},
): (value: number) => number {
  const match =
    /^\s*(s|sec|secs|second|seconds|min|mins|minute|minutes|h|hr|hrs|hour|hours|d|day|days)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2}(?:\.\d*)?))?)?\s*(Z|UTC|GMT|[+-]0?0:?00|\+?0)?\s*$/i.exec(
      units ?? '',
    );
  if (!match)
    throw new TimeError(`the time axis of ${path} has units "${units ?? ''}"`, {
      hint: units
        ? 'CF units in UTC were expected, such as "hours since 1900-01-01"; convert the axis first (cdo setreftime)'
        : 'say what its numbers count with --time-units "hours since 1900-01-01"',
      fields: { path, units },
    });
  const name = (calendar ?? 'standard').toLowerCase();
  const model = MODEL_CALENDARS[name];
  if (!REAL.includes(name) && !(model && modelDates))
    throw new TimeError(`the time axis of ${path} is on the calendar "${calendar}"`, {
      hint: model
        ? 'some of its days do not exist; if its dates mean the same dates of the standard calendar, add --model-dates'
        : 'convert the axis to the standard calendar first (cdo setcalendar)',
      fields: { path, calendar },
    });
  const [, unit, year, month, day, hour = '0', minute = '0', second = '0'] = match;
  const start =
    startDay(name, +year, +month, +day) * DAY +
    +hour * UNIT_MS.h +
    +minute * UNIT_MS.m +
    Number(second) * 1000;
  const step = UNIT_MS[unit.toLowerCase().startsWith('min') ? 'm' : unit[0].toLowerCase()];
  return (value) => {
    const time = Math.round(start + value * step);
    if (Math.abs(time) <= MOST_MS) return model ? namedDate(time, model, path) : time;
    throw new TimeError(`the time axis of ${path} holds ${value}`, {
      hint: 'repair the axis of the file',
      fields: { path },
    });
  };
}

/** Days of the first date: since 1970-01-01 of the real calendars, since the year 0 of a model's own. */
function startDay(calendar: string, year: number, month: number, day: number): number {
  const model = MODEL_CALENDARS[calendar];
  if (model) return year * sum(model) + sum(model.slice(0, month - 1)) + day - 1;
  const gregorian = dayNumber(year, month, day);
  // In the mixed calendar a day before the reform is a Julian one.
  const julian = calendar === 'julian' || (calendar !== 'proleptic_gregorian' && gregorian * DAY < REFORM);
  return julian ? julianDayNumber(year, month, day) : gregorian;
}

const COMMON = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const LEAP = COMMON.with(1, 29);

/** Days of each month of calendars of models, every year the same. */
const MODEL_CALENDARS: Record<string, readonly number[]> = {
  noleap: COMMON,
  '365_day': COMMON,
  all_leap: LEAP,
  '366_day': LEAP,
  '360_day': Array(12).fill(30),
};

const sum = (days: readonly number[]): number => days.reduce((a, b) => a + b, 0);

/** ms since the year 0 of a model calendar -> the instant of the same date on the standard one. */
function namedDate(time: number, months: readonly number[], path: string): number {
  const days = Math.floor(time / DAY);
  const year = Math.floor(days / sum(months));
  let day = days - year * sum(months);
  let month = 0;
  while (day >= months[month]) day -= months[month++];
  const at = dayNumber(year, month + 1, day + 1);
  if (new Date(at * DAY).getUTCMonth() === month) return at * DAY + (time - days * DAY);
  const date = [String(year).padStart(4, '0'), month + 1, day + 1].join('-');
  throw new TimeError(`the time axis of ${path} holds ${date}, which is no date of the standard calendar`, {
    hint: 'convert the axis to the standard calendar first (xarray convert_calendar, cdo setcalendar)',
    fields: { path, date },
  });
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
