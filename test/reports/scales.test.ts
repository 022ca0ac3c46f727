import { describe, expect, it } from 'vitest';
import { scalesSection } from '../../pipeline/reports/sections/scales.js';
import { report } from './fixture.js';

const TAPS = [
  { name: 'block0', width: 12, height: 12 },
  { name: 'block2', width: 3, height: 3 },
];

/** Storms are seen coarsely, the rest finely; frame 0 is bad. */
function attended() {
  const data = report();
  const { labels, attention } = data;
  const scale = (f: number) =>
    f === 0 ? null : labels!.label[f] === 1 ? Float32Array.of(0.2, 0.8) : Float32Array.of(0.7, 0.3);
  return { ...data, attention: { ...attention!, taps: TAPS, scale } };
}

describe('the section on scales', () => {
  it('gives the mean weight of each tap over storm and calm frames', () => {
    const text = scalesSection(attended())!.text;
    expect(text).toContain('<td>block0</td><td class="n">12 x 12</td>');
    const rows = [...text.matchAll(/<tr><td>block\d<\/td>.*?<\/tr>/g)].map(([row]) =>
      [...row.matchAll(/<td class="n">([\d.]+)<\/td>/g)].map(([, value]) => Number(value)),
    );
    expect(rows.map(([, storm, calm]) => [storm, calm])).toEqual([
      [0.2, 0.7],
      [0.8, 0.3],
    ]);
    expect(rows[0][0] + rows[1][0]).toBeCloseTo(1, 2);
  });

  it('is left out for a model with one map, and where nothing was weighed', () => {
    expect(scalesSection(report())).toBeNull();
    const data = attended();
    expect(scalesSection({ ...data, attention: { ...data.attention, scale: () => null } })).toBeNull();
  });
});
