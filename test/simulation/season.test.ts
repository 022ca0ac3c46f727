import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromArrayBuffer } from 'geotiff';
import { afterAll, describe, expect, it } from 'vitest';
import { landMask, season, simulatedGrid, stormAt, writeSeason } from '../../pipeline/simulation/index.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-simulate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const celsiusCell = (value: number) => value * 0.01 + 250;
const hectopascal = (value: number) => value * 0.01 + 1000;

describe('season()', () => {
  it('gives the same frame for the same seed in any order, and another for another seed', () => {
    const config = { frames: 30, size: 24, seed: 5, gaps: 0 };
    const [a, b] = [season(config), season(config)];
    const late = a.frame(29)!;
    a.frame(3);
    expect(b.frame(29)).toEqual(late);
    expect(season({ ...config, seed: 6 }).frame(29)!.values).not.toEqual(late.values);
  });

  it('lets every medicane live 20 to 120 h over open sea, one at a time', () => {
    for (let seed = 0; seed < 12; seed++) {
      const { storms, land, grid } = season({ frames: 2000, size: 256, seed });
      const medicanes = storms.filter(({ kind }) => kind === 'medicane');
      expect(medicanes).toHaveLength(13);
      medicanes.forEach((storm, i) => {
        expect(storm.end - storm.start).toBeGreaterThan(20 - 1e-9);
        expect(storm.end - storm.start).toBeLessThan(120 + 1e-9);
        if (i > 0) expect(storm.start).toBeGreaterThan(medicanes[i - 1].end);
        for (let k = 0; k < storm.x.length; k++) {
          const column = Math.floor(storm.x[k] / (grid.x[1] - grid.x[0]));
          const row = grid.height - 1 - Math.floor(storm.y[k] / (grid.y[0] - grid.y[1]));
          expect(land[row * grid.width + column], `seed ${seed} storm ${storm.id} hour ${k}`).toBe(0);
        }
      });
    }
  });

  it('labels exactly the frames in which a medicane lives, with its centre at the eye of the pressure field', () => {
    const made = season({ frames: 300, size: 64, seed: 3, gaps: 0, defects: 0 });
    const storm = made.storms.find(({ kind }) => kind === 'medicane')!;
    for (let i = 0; i < 300; i++) {
      const alive = made.storms.some((s) => s.kind === 'medicane' && stormAt(s, i) !== null);
      if (i % 7 === 0) expect(made.frame(i)!.truth.label, `hour ${i}`).toBe(alive ? 1 : 0);
    }
    const mature = Math.round(storm.start + 0.5 * (storm.end - storm.start));
    const { values, truth } = made.frame(mature)!;
    const column = Math.floor((truth.lon! - 2) / made.grid.transform[1]);
    const row = Math.floor((46 - truth.lat!) / -made.grid.transform[5]);
    const pressureAt = (r: number, c: number) => hectopascal(values[2 * (r * 64 + c) + 1]);
    let around = 0;
    for (const [dr, dc] of [
      [-12, 0],
      [12, 0],
      [0, -12],
      [0, 12],
    ])
      around += pressureAt(Math.min(63, Math.max(0, row + dr)), Math.min(63, Math.max(0, column + dc))) / 4;
    expect(pressureAt(row, column)).toBeLessThan(around - 0.4 * storm.depth);
  });

  it('shows a mature medicane as cold ring around a warm eye', () => {
    const made = season({ frames: 400, size: 200, seed: 11, gaps: 0, defects: 0, storms: 2 });
    const storm = made.storms
      .filter(({ kind }) => kind === 'medicane')
      .sort((a, b) => b.radius - a.radius)[0];
    const { values, truth } = made.frame(Math.round((storm.start + storm.end) / 2))!;
    const { grid } = made;
    const centre = [
      Math.floor((46 - truth.lat!) / -grid.transform[5]),
      Math.floor((truth.lon! - 2) / grid.transform[1]),
    ];
    const cell = grid.x[1] - grid.x[0];
    const ring = Math.round((1.1 * storm.radius) / cell);
    const at = (r: number, c: number) => celsiusCell(values[2 * ((centre[0] + r) * 200 + centre[1] + c)]);
    const cold = Math.max(at(0, ring), at(0, -ring));
    expect(cold).toBeLessThan(250);
    expect(at(0, 0)).toBeGreaterThan(cold + 15);
  });

  it('loses about the asked share of frames, in outages, and lines in about the asked share of the rest', () => {
    const made = season({ frames: 3000, size: 8, seed: 2, gaps: 0.1, defects: 0.2 });
    let [lost, defects] = [0, 0];
    for (let i = 0; i < 3000; i++) {
      const frame = made.frame(i);
      if (!frame) lost++;
      else if (frame.lostLines > 0) {
        defects++;
        expect(frame.values.filter((v, k) => k % 2 === 0 && v === -32768)).toHaveLength(8 * frame.lostLines);
      }
    }
    expect(lost / 3000).toBeGreaterThan(0.06);
    expect(lost / 3000).toBeLessThan(0.14);
    expect(defects / (3000 - lost)).toBeGreaterThan(0.16);
    expect(defects / (3000 - lost)).toBeLessThan(0.24);
  });

  it('refuses more medicanes than there is room for and steps that are no whole minutes', () => {
    expect(() => season({ frames: 48, storms: 5 })).toThrowError(
      expect.objectContaining({ tag: 'ConfigError', fields: { storms: 5, hours: 48 } }),
    );
    expect(() => season({ step: '30s' })).toThrowError(
      expect.objectContaining({ tag: 'ConfigError', fields: { step: '30s' } }),
    );
  });
});

describe('landMask()', () => {
  it('knows Sicily, Crete, the Ionian Sea and the Sahara', () => {
    const at = (lat: number, lon: number) =>
      landMask({ width: 1, height: 1, lat: Float64Array.of(lat), lon: Float64Array.of(lon) })[0];
    expect([at(37.5, 14.2), at(35.2, 24.9), at(37, 18), at(31, 10), at(40, 12)]).toEqual([1, 1, 0, 1, 0]);
  });
  it('does not depend on the size of the grid', () => {
    const share = [64, 200].map(
      (size) => landMask(simulatedGrid(size)).reduce((n, v) => n + v, 0) / size ** 2,
    );
    expect(Math.abs(share[0] - share[1])).toBeLessThan(0.01);
  });
});

describe('writeSeason()', () => {
  it('writes georeferenced maps with labels for each, the same bytes each time', async () => {
    const config = { frames: 60, size: 16, seed: 9, gaps: 0.1 };
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    const made = await writeSeason(a, config);
    await writeSeason(b, config);
    const names = readdirSync(a).sort();
    expect(names).toEqual(readdirSync(b).sort());
    for (const name of names)
      expect(readFileSync(join(a, name)).equals(readFileSync(join(b, name))), name).toBe(true);
    const maps = names.filter((name) => name.endsWith('.tif'));
    expect(maps).toHaveLength(made.frames);
    expect(made.lost).toBeGreaterThan(0);
    expect(made.frames + made.lost).toBe(60);
    const [header, ...rows] = readFileSync(made.labels, 'utf8').trim().split('\n');
    expect(header).toBe('time,label,event_id,lat,lon');
    expect(rows.map((row) => `sim_${row.split(',')[0].replace(/[-:]/g, '')}.tif`)).toEqual(maps);
    expect(rows.filter((row) => row.split(',')[1] === '1')).toHaveLength(made.positives);
    const bytes = readFileSync(join(a, maps[0]));
    const image = await (await fromArrayBuffer(new Uint8Array(bytes).buffer)).getImage();
    expect(image.getBoundingBox()).toEqual([2, 30, 28, 46]);
    expect(image.getGDALNoData()).toBe(-32768);
  });

  it('stops when it is told to', async () => {
    const out = join(folder, 'stopped');
    await expect(
      writeSeason(out, { frames: 50, size: 8 }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
