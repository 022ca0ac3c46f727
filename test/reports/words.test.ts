import { describe, expect, it } from 'vitest';
import {
  brief,
  chance,
  count,
  duration,
  instant,
  interval,
  longitude,
  number,
  place,
  signed,
  whyNoInterval,
  wrap,
} from '../../pipeline/reports/format.js';
import { html, raw, scriptJson } from '../../pipeline/reports/html.js';

describe('html', () => {
  it('escapes every value that is not HTML already, and prints nothing for nothing', () => {
    const hostile = `</title><script>alert("1")</script>&'`;
    const { text } =
      html`<p title="${hostile}">${hostile}${null}${false}${undefined}${[raw('<b>'), '<i>']}</p>`;
    const escaped = '&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;';
    expect(text).toBe(`<p title="${escaped}">${escaped}<b>&lt;i&gt;</p>`);
  });

  it('keeps JSON inside its script element', () => {
    const value = { name: '</script><!--\u2028' };
    expect(scriptJson(value).text).not.toMatch(/<|\u2028/);
    expect(JSON.parse(scriptJson(value).text)).toEqual(value);
  });
});

describe('numbers and times', () => {
  it('are rounded, with a true minus and without a negative zero', () => {
    expect([number(0.9346), number(-0.5, 1), number(-0.0001), number(null), number(Number.NaN)]).toEqual([
      '0.935',
      '\u22120.5',
      '0.000',
      'n/a',
      'n/a',
    ]);
    expect([signed(0.02), signed(-0.02), signed(0)]).toEqual(['+0.020', '\u22120.020', '0.000']);
    expect([chance(0.99999), chance(0.00001), chance(0.5)]).toEqual(['> 0.999', '< 0.001', '0.500']);
    expect(count(12_345)).toBe('12\u2009345');
  });

  it('say why there is no interval', () => {
    const none = { value: 0.5, ci95: null, reason: 'not estimable: 2 events, at least 8 are needed' };
    expect(interval({ value: 1, ci95: [0.25, 0.75] })).toBe('0.250 to 0.750');
    expect([
      interval(none),
      brief(none),
      brief({ value: null, ci95: null, reason: 'one class only' }),
    ]).toEqual([none.reason, 'no interval', 'one class only']);
    expect(whyNoInterval([none, none, null])).toBe('No interval: 2 events, at least 8 are needed.');
    expect(whyNoInterval([{ value: 1, ci95: [0, 1] }])).toBe('');
  });

  it('are UTC, and places are wrapped', () => {
    expect(instant(Date.parse('2026-03-25T07:00Z'))).toBe('2026-03-25 07:00 UTC');
    expect(instant(Date.parse('2026-03-25T07:00:05Z'))).toBe('2026-03-25 07:00:05 UTC');
    expect(instant(4, 'none')).toBe('picture 5');
    expect([duration(36 * 3_600_000), duration(108 * 3_600_000), duration(600_000)]).toEqual([
      '36 h',
      '4.5 d',
      '10 min',
    ]);
    expect([longitude(350), longitude(-180), longitude(0), place(-37.2, 258)]).toEqual([
      '10\u00b0W',
      '180\u00b0',
      '0\u00b0',
      '37\u00b0S 102\u00b0W',
    ]);
    expect([wrap(190), wrap(-190), wrap(180)]).toEqual([-170, 170, -180]);
  });
});
