/** Times of maps, parsed strictly. Nothing is guessed: a name with two possible times, or a time without a zone, is an error. */
import { basename } from 'node:path';
import { ConfigError, TimeError } from '../errors.js';

export interface NameReading {
  /** ms UTC; null when the pattern holds no time. */
  time: number | null;
  series: string | null;
  band: string | null;
}

export type ReadName = (path: string) => NameReading;

const TOKENS: Record<string, string> = {
  YYYY: '(?<YYYY>\\d{4})',
  MM: '(?<MM>\\d{2})',
  DD: '(?<DD>\\d{2})',
  DOY: '(?<DOY>\\d{3})',
  hh: '(?<hh>\\d{2})',
  mm: '(?<mm>\\d{2})',
  ss: '(?<ss>\\d{2})',
  series: '(?<series>[\\w.-]+?)',
  band: '(?<band>[A-Za-z0-9.-]+)',
  '*': '.*?',
};

/**
 * Reads file names by a pattern such as `msg_{YYYY}{MM}{DD}_{hh}{mm}.tif`. Tokens: YYYY MM DD DOY hh mm ss series band *.
 * A literal Z after the time says UTC; without it `assumeUtc` must be set. ConfigError: an unknown token.
 */
export function namePattern(pattern: string, assumeUtc: boolean): ReadName {
  const seen = new Set<string>();
  const source = pattern
    .split(/(\{[^}]*\})/)
    .map((part) => {
      if (!part.startsWith('{')) return part.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&');
      const name = part.slice(1, -1);
      if (!(name in TOKENS))
        throw new ConfigError(`the time pattern "${pattern}" has the unknown token ${part}`, {
          hint: `use ${Object.keys(TOKENS)
            .map((t) => `{${t}}`)
            .join(' ')}`,
        });
      if (name !== '*' && seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return TOKENS[name];
    })
    .join('');
  const matcher = new RegExp(`^${source}$`);
  const utc = assumeUtc || /\}Z/.test(pattern);
  return (path) => {
    const name = basename(path);
    const groups = matcher.exec(name)?.groups;
    if (!groups)
      throw new TimeError(`the name ${name} does not fit the pattern "${pattern}"`, {
        hint: 'correct --time, or leave the file out',
        fields: { path },
      });
    const { series = null, band = null } = groups;
    if (!groups.YYYY) return { time: null, series, band };
    if (!utc) throw zoneless(name, path);
    return { time: instant(groups, name, path), series, band };
  };
}

const COMMON =
  /(?<!\d)(?<YYYY>(?:18|19|20)\d{2})(?<d>[-_.]?)(?<MM>\d{2})\k<d>(?<DD>\d{2})(?:[T_-]?(?<hh>\d{2})[:_-]?(?<mm>\d{2})?[:_-]?(?<ss>\d{2})?)?(?<Z>Z)?(?!\d)/g;

/** Reads the usual forms of dates in names: 20170831, 2017-08-31T06, 20170831_0600Z. Two different ones are an error. */
export function commonName(assumeUtc: boolean): ReadName {
  return (path) => {
    const name = basename(path).replace(/\.[A-Za-z]+\d?$/, '');
    const found = [...name.matchAll(COMMON)].filter((match) => isDate(match.groups!));
    if (found.length === 0)
      throw new TimeError(`there is no time in the name ${basename(path)}`, {
        hint: 'say where it is: --time "name_{YYYY}{MM}{DD}_{hh}{mm}.tif"; or --pictures for maps without times',
        fields: { path },
      });
    if (found.length > 1)
      throw new TimeError(
        `the name ${basename(path)} holds ${found.length} times: ${found.map((m) => m[0]).join(', ')}`,
        {
          hint: 'say which one counts: --time "{*}_{YYYY}{MM}{DD}T{hh}{mm}Z.tif"',
          fields: { path, candidates: found.map((m) => m[0]) },
        },
      );
    const groups = found[0].groups!;
    refuseMore(name, path, found[0]);
    if (!groups.Z && !assumeUtc) throw zoneless(basename(path), path);
    return { time: instant(groups, name, path), series: null, band: null };
  };
}

/** Digits after a date that are no hour as it is usually written, and what may be an offset: midnight, or UTC, would be a guess. */
function refuseMore(name: string, path: string, { index, 0: text, groups }: RegExpExecArray): void {
  const rest = name.slice(index + text.length);
  const { hh, Z } = groups!;
  const more = Z
    ? null
    : hh === undefined
      ? /^(?:[^A-Za-z0-9]|[Tth])?\d+/.exec(rest)
      : /^[+-]\d{2}:?\d{2}(?!\d)/.exec(rest);
  if (!more) return;
  throw new TimeError(
    `the name ${basename(path)} holds ${text} and then "${more[0]}", which may ${hh === undefined ? 'be the time of day' : 'be its offset from UTC'} or not`,
    {
      hint: 'say what counts: --time "{*}{YYYY}{MM}{DD}_{hh}{*}.tif" (with {*} for what does not)',
      fields: { path, found: text, more: more[0] },
    },
  );
}

const isDate = ({ MM, DD }: Record<string, string>): boolean =>
  +MM >= 1 && +MM <= 12 && +DD >= 1 && +DD <= 31;

/** Text of a tag or sidecar: ISO 8601, or `YYYY:MM:DD hh:mm:ss` as in TIFF. */
export function textTime(text: string, path: string, assumeUtc: boolean): number {
  const match =
    /^(?<YYYY>\d{4})[-:](?<MM>\d{2})[-:](?<DD>\d{2})(?:[T ](?<hh>\d{2}):(?<mm>\d{2})(?::(?<ss>\d{2})(?:\.\d+)?)?)?(?<zone>Z|[+-]\d{2}:?\d{2})?$/.exec(
      text.trim(),
    );
  if (!match)
    throw new TimeError(`${path} gives its time as "${text}"`, {
      hint: 'write it as 2017-08-31T06:00:00Z, or name the time in the file name with --time',
      fields: { path, text },
    });
  const { zone } = match.groups!;
  if (!zone && !assumeUtc) throw zoneless(text, path);
  const sign = zone?.startsWith('-') ? -1 : 1;
  const digits = zone && zone !== 'Z' ? zone.replace(/\D/g, '') : '0000';
  return instant(match.groups!, text, path) - sign * (+digits.slice(0, 2) * 60 + +digits.slice(2)) * 60_000;
}

function zoneless(text: string, path: string): TimeError {
  return new TimeError(`the time of ${text} has no zone`, {
    hint: 'if it is UTC, say so: --assume-utc (assumeUtc: true in the config)',
    fields: { path },
  });
}

function instant(groups: Record<string, string | undefined>, text: string, path: string): number {
  const [year, month, day] = [Number(groups.YYYY), Number(groups.MM ?? 1), Number(groups.DD ?? 1)];
  const [hour, minute, second] = [Number(groups.hh ?? 0), Number(groups.mm ?? 0), Number(groups.ss ?? 0)];
  const ofYear = groups.DOY === undefined ? null : Number(groups.DOY);
  const time = Date.UTC(year, ofYear === null ? month - 1 : 0, ofYear ?? day, hour, minute, second);
  const date = new Date(time);
  const real =
    date.getUTCFullYear() === year &&
    (ofYear !== null || (date.getUTCMonth() === month - 1 && date.getUTCDate() === day)) &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (real) return time;
  throw new TimeError(`${text} is not a time that exists`, {
    hint: 'correct the name, or --time',
    fields: { path },
  });
}
