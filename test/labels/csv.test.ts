/** Files that are no UTF-8 table of labels, or only look like one: each a typed error that says what was found. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isStormreelError } from '../../pipeline/errors.js';
import { readLabels } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-csv-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'labels.csv');
const row = '2005-12-01T00:00Z,1';

async function outcome(content: string | Uint8Array | (() => void)): Promise<unknown> {
  rmSync(path, { recursive: true, force: true });
  if (typeof content === 'function') content();
  else writeFileSync(path, content);
  try {
    return await readLabels(LabelsConfig.parse({ file: path }), { baseDir: '.' });
  } catch (error) {
    if (!isStormreelError(error)) throw error;
    expect(error.hint).toMatch(/\w/);
    return error;
  }
}

const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

describe('a labels file', () => {
  it.each<[string, string | Uint8Array, object]>([
    ['in UTF-16, little end first', utf16(`time,label\n${row}`), { found: 'UTF-16', byte: 0 }],
    ['in UTF-16, big end first', utf16(`time,label\n${row}`, true), { found: 'UTF-16' }],
    ['in UTF-16 without a mark', utf16(`time,label\n${row}`).subarray(2), { found: 'a zero byte', byte: 1 }],
    ['with zero bytes', `time,label\n${row}\0\0\n`, { found: 'a zero byte', byte: 30 }],
    ['of zeros', new Uint8Array(10_000), { found: 'a zero byte', byte: 0 }],
    ['in Latin-1', Buffer.from(`time,label,event_id\n${row},Été\n`, 'latin1'), { byte: 41 }],
    ['cut inside a letter', Buffer.from(`time,label,event_id\n${row},É`).subarray(0, 41), { byte: 40 }],
    ['that is gzip', Buffer.from('1f8b08000000000002ff4bcf4f494a05', 'hex'), {}],
    ['with two columns of one name', 'time,label,label\n2005-12-01T00:00Z,1,0', { column: 'label' }],
    ['with semicolons', `time;label\n${row.replace(',', ';')}`, { found: 'time;label' }],
    ['with tabs', `time\tlabel\n${row.replace(',', '\t')}`, { found: 'time\tlabel' }],
    ['of a million columns', `time,label${',x'.repeat(500_000)}\n`, { columns: 500_002 }],
    ['of one line without end', `time,label\n"${'x'.repeat(3 << 20)}`, {}],
    ['with a quote that never closes', `time,label\n"${row}\n`, {}],
    ['with a quote inside a cell', `time,label\n2005-12-01T00:00Z,1"1\n`, {}],
    ['with text after a quote', `time,label\n"2005-12-01T00:00Z"x,1\n`, {}],
    ['with a cell too many', `time,label\n${row},1\n`, {}],
    ['with a cell too few', `time,label,event_id\n${row}\n`, {}],
    ['without rows', 'time,label\n', {}],
    ['without anything', '', {}],
    ['of blanks', ' \n \n', {}],
    ['without a header', `${row}\n${row}\n`, {}],
    ['with the label "yes"', 'time,label\n2005-12-01T00:00Z,yes\n', { value: 'yes' }],
    ['with the label 01', 'time,label\n2005-12-01T00:00Z,01\n', { value: '01' }],
    ['with the label 1.0', 'time,label\n2005-12-01T00:00Z,1.0\n', { value: '1.0' }],
    ['with a hexadecimal latitude', `time,label,lat\n${row},0x10\n`, { value: '0x10' }],
    ['with a latitude of 91', `time,label,lat\n${row},91\n`, { value: '91' }],
    ['with a latitude that is NaN', `time,label,lat\n${row},NaN\n`, { value: 'NaN' }],
    ['with a latitude without end', `time,label,lat\n${row},Infinity\n`, { value: 'Infinity' }],
  ])('%s is refused', async (_, content, fields) => {
    expect(await outcome(content)).toMatchObject({ tag: 'LabelJoinError', fields });
  });

  it.each<[string, string]>([
    ['the 30th of February', '2005-02-30T00:00Z'],
    ['hour 25', '2005-12-01T25:00Z'],
    ['words', 'yesterday'],
    ['a serial number of a spreadsheet', '38687.25'],
  ])('with a time that is %s is refused', async (_, time) => {
    expect(await outcome(`time,label\n${time},1\n`)).toMatchObject({
      tag: 'TimeError',
      fields: { value: time },
    });
  });

  it('that is a folder, a pipe or a device is refused and never waited for', async () => {
    for (const make of [
      () => mkdirSync(path),
      () => void execFileSync('mkfifo', [path]),
      () => symlinkSync('/dev/zero', path),
      () => symlinkSync('/dev/null', path),
      () => symlinkSync(path, path),
    ])
      expect(await outcome(make)).toMatchObject({ tag: 'ConfigError', fields: { file: path } });
  });

  it('of a gigabyte is refused before it is read', async () => {
    const big = () => {
      writeFileSync(path, 'time,label\n');
      truncateSync(path, 2 ** 30);
    };
    expect(await outcome(big)).toMatchObject({ tag: 'LabelJoinError', fields: { bytes: 2 ** 30 } });
  });

  it('with strange but right form is read', async () => {
    for (const text of [
      `time,label\r${row}\r`,
      `\ufeff"time" , "label"\r\n"2005-12-01T00:00Z" , "1"\r\n\r\n`,
      `time,label,__proto__,constructor\n${row},x,y\n`,
      `time,label,,\n${row},,\n`,
    ])
      expect(await outcome(text)).toMatchObject([{ time: Date.UTC(2005, 11), label: 1 }]);
  });
});
