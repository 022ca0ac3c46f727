import { describe, expect, it } from 'vitest';
import { commonName, namePattern, textTime } from '../../pipeline/raster/time.js';

const utc = (text: string) => Date.parse(text);
function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('times in file names, by pattern', () => {
  it.each([
    ['msg_{YYYY}{MM}{DD}_{hh}{mm}Z.tif', 'msg_20051214_0600Z.tif', '2005-12-14T06:00Z'],
    ['{YYYY}{DOY}{hh}Z{*}.tif', '200536012Z_v3.tif', '2005-12-26T12:00Z'],
    ['{*}.{YYYY}-{MM}-{DD}T{hh}.{mm}.{ss}Z.tif', 'a.b.2005-12-14T06.07.08Z.tif', '2005-12-14T06:07:08Z'],
    ['{YYYY}{MM}Z.tif', '200502Z.tif', '2005-02-01T00:00Z'],
  ])('%s reads %s', (pattern, name, time) => {
    expect(namePattern(pattern, false)(`/any/folder/${name}`).time).toBe(utc(time));
  });

  it('read series and band too', () => {
    const read = namePattern('{series}_{YYYY}{MM}{DD}Z_{band}.tif', false);
    expect(read('ionian_20051214Z_ir108.tif')).toEqual({
      ...{ time: utc('2005-12-14'), series: 'ionian', band: 'ir108' },
    });
  });

  it('take characters of the pattern as they are', () => {
    const read = namePattern('a+b(1).{YYYY}{MM}{DD}Z.tif', false);
    expect(read('a+b(1).20051214Z.tif').time).toBe(utc('2005-12-14'));
    expect(refusal(() => read('aab(1)x20051214Z.tif'))).toMatchObject({ tag: 'TimeError' });
  });

  it('a token that comes twice must read the same', () => {
    const read = namePattern('{YYYY}_{YYYY}{MM}{DD}Z.tif', false);
    expect(read('2005_20051214Z.tif').time).toBe(utc('2005-12-14'));
    expect(refusal(() => read('2006_20051214Z.tif'))).toMatchObject({ tag: 'TimeError' });
  });

  it('without a zone are refused unless they are said to be UTC', () => {
    const [pattern, name] = ['{YYYY}{MM}{DD}.tif', '20051214.tif'];
    expect(refusal(() => namePattern(pattern, false)(name))).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--assume-utc'),
    });
    expect(namePattern(pattern, true)(name).time).toBe(utc('2005-12-14'));
  });

  it('that do not exist, and unknown tokens, are refused', () => {
    const read = namePattern('{YYYY}{MM}{DD}{hh}Z.tif', false);
    for (const name of ['2005022900Z.tif', '2005130100Z.tif', '2005121424Z.tif', '2005120000Z.tif'])
      expect(refusal(() => read(name))).toMatchObject({ tag: 'TimeError', fields: { path: name } });
    expect(refusal(() => namePattern('{YYYY}{DOY}Z.tif', false)('2005366Z.tif'))).toMatchObject({
      tag: 'TimeError',
    });
    expect(refusal(() => namePattern('{year}.tif', false))).toMatchObject({ tag: 'ConfigError' });
  });
});

describe('times in file names, without a pattern', () => {
  it.each([
    ['m_20170831T0600Z.tif', '2017-08-31T06:00Z'],
    ['era5-2017-08-31T06Z.tif', '2017-08-31T06:00Z'],
    ['x2017_08_31_060708Z.png', '2017-08-31T06:07:08Z'],
    ['20170831Z.nc4', '2017-08-31T00:00Z'],
    ['sat4_20170831T0600Z_v12.tif', '2017-08-31T06:00Z'],
  ])('%s', (name, time) => expect(commonName(false)(name).time).toBe(utc(time)));

  it.each([
    ['x_20200101_6.tif', '_6'],
    ['x_20200101T060030123.tif', 'T060030123'],
    ['x_20200101t06.tif', 't06'],
    ['20200101.0600.tif', '.0600'],
    ['x_20200101T0600+0200.tif', '+0200'],
    ['x_20200101T0600-0500.tif', '-0500'],
  ])('%s is refused even under --assume-utc: what follows the date may belong to the time', (name, more) => {
    expect(refusal(() => commonName(true)(name))).toMatchObject({
      ...{ tag: 'TimeError', fields: { path: name, more } },
      hint: expect.stringContaining('--time'),
    });
  });

  it('may be followed by what is no time', () => {
    for (const name of [
      '20200101_ir108.tif',
      'x20200101_v2.tif',
      '20200101_t2m_3.tif',
      '20200101T0600_0012.tif',
    ])
      expect(commonName(true)(name).time).toBe(
        utc(name.includes('T06') ? '2020-01-01T06:00Z' : '2020-01-01'),
      );
  });

  it('two in one name are refused, naming both', () => {
    expect(refusal(() => commonName(false)('20170831T0600Z_made_20200101Z.tif'))).toMatchObject({
      tag: 'TimeError',
      fields: { candidates: ['20170831T0600Z', '20200101Z'] },
      hint: expect.stringContaining('--time'),
    });
  });

  it('none, and one without a zone, are refused', () => {
    expect(refusal(() => commonName(true)('storm_3.tif'))).toMatchObject({ tag: 'TimeError' });
    expect(refusal(() => commonName(false)('m_20170831T0600.tif'))).toMatchObject({
      hint: expect.stringContaining('--assume-utc'),
    });
  });
});

describe('times in tags and sidecars', () => {
  it.each([
    ['2017-08-31T06:00:00Z', '2017-08-31T06:00Z'],
    ['2017-08-31T06:00+02:00', '2017-08-31T04:00Z'],
    ['2017-08-31T06:00-0530', '2017-08-31T11:30Z'],
    ['2017-08-31Z', '2017-08-31T00:00Z'],
  ])('%s', (text, time) => expect(textTime(text, 'a.tif', false)).toBe(utc(time)));

  it('the TIFF form has no zone, so it must be said to be UTC', () => {
    expect(textTime('2017:08:31 06:00:00', 'a.tif', true)).toBe(utc('2017-08-31T06:00Z'));
    expect(refusal(() => textTime('2017:08:31 06:00:00', 'a.tif', false))).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--assume-utc'),
    });
  });

  it('other forms are refused', () => {
    for (const text of ['31.08.2017', 'yesterday', '', '2017-08-31T25:00Z', '2017-02-30T00:00Z'])
      expect(refusal(() => textTime(text, 'a.tif', true))).toMatchObject({ tag: 'TimeError' });
  });
});
