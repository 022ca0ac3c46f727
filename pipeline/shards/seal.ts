/**
 * Small files that say by themselves whether they are whole: one changed or missing byte anywhere is found when the file
 * is read. JSON carries a `seal`, JSON lines end with one, an Arrow file has one in its metadata.
 */
import { createHash } from 'node:crypto';
import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** One JSON document; `seal` is the sha256 of the document without it. */
export function sealJson(value: object, indent?: number): string {
  const seal = sha256(JSON.stringify(value));
  return `${JSON.stringify({ ...value, seal }, null, indent)}\n`;
}

/** What `sealJson` was given, seal left out; an Error where a byte differs from what `sealJson` writes. */
export function openSealedJson(text: string, indent?: number): object {
  const { seal, ...value } = JSON.parse(text);
  if (sealJson(value, indent) !== text) throw new Error('its bytes have changed');
  return value;
}

/** One JSON document a line, then a line with the sha256 of all lines before it. */
export function sealLines(values: readonly object[]): string {
  const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  return `${lines}${JSON.stringify({ seal: sha256(lines) })}\n`;
}

/** The documents of `sealLines`; an Error where a byte is missing or differs. */
export function openSealedLines(text: string): unknown[] {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const lines = text.slice(0, end);
  if (text.slice(end) !== `${JSON.stringify({ seal: sha256(lines) })}\n`)
    throw new Error('its bytes have changed');
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const BLANK = '0'.repeat(64);

/** An Arrow file whose metadata holds, as `seal`, the sha256 of the same file with zeros in the seal's place. */
export function sealArrow(table: Table): Uint8Array {
  table.schema.metadata.set('seal', BLANK);
  const bytes = tableToIPC(table, 'file');
  return replaceAll(bytes, BLANK, sha256(bytes));
}

/** The table of `sealArrow`; an Error where a byte is missing or differs. */
export function openSealedArrow(bytes: Uint8Array): Table {
  // Before anything is parsed: a damaged length can hold the parser for ever.
  const whole = possibleSeals(bytes).some((seal) => sha256(replaceAll(bytes, seal, BLANK)) === seal);
  if (!whole) throw new Error('its bytes have changed');
  return tableFromIPC(bytes);
}

const FOOTER_BYTES = 65_536;

/** Texts of 64 hex digits near the end, where an Arrow file repeats its metadata. */
function possibleSeals(bytes: Uint8Array): string[] {
  const end = Buffer.from(bytes.subarray(Math.max(0, bytes.length - FOOTER_BYTES))).toString('latin1');
  return [...new Set(end.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g))];
}

/** A copy of `bytes` with every occurrence of an ASCII text replaced by another of the same length. */
function replaceAll(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + to.length))
    copy.write(to, at, 'latin1');
  return copy;
}
