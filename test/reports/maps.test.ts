import { describe, expect, it } from 'vitest';
import { joinBoxes } from '../../pipeline/reports/maps/outlines.js';
import { plainPixels, worldPixels } from '../../pipeline/reports/maps/raster.js';
import { stageOf } from '../../pipeline/reports/maps/stage.js';
import { world } from '../../pipeline/reports/maps/world.js';
import { FIELD, table } from '../../pipeline/reports/palette.js';
import { playerModule, report, worldTiles } from './fixture.js';

const { worldStage, frameAt } = await playerModule('world');
const { contour } = await playerModule('contour');

describe('joinBoxes()', () => {
  it('joins tiles that meet, across the date line too, and stacks rows of the same width', () => {
    expect(
      joinBoxes([
        [170, 30, 190, 60],
        [185, 30, 205, 60],
      ]),
    ).toEqual([[170, 30, 205, 60]]);
    expect(
      joinBoxes([
        [350, 0, 370, 10],
        [5, 0, 20, 10],
      ]),
    ).toEqual([[-10, 0, 20, 10]]);
    expect(
      joinBoxes([
        [0, 10, 10, 20],
        [0, 0, 10, 10],
      ]),
    ).toEqual([[0, 0, 10, 20]]);
    expect(
      joinBoxes([
        [0, 0, 10, 10],
        [30, 0, 40, 10],
      ]),
    ).toHaveLength(2);
  });
});

describe('the world', () => {
  const globe = world({ south: -60, north: 75 });
  const { mosaic } = stageOf(report({ ...worldTiles(), frames: 24, size: 12 }).store!.description);

  it('puts longitude 0 in the middle and knows the latitude of every row', () => {
    expect(globe.project(0, 0)[0]).toBeCloseTo(globe.width / 2, 6);
    for (const lat of [-50, -10, 30, 70]) {
      const [, y] = globe.project(20, lat);
      expect(globe.rows.lat[Math.floor(y)]).toBeCloseTo(lat, 0);
    }
    expect(globe.coast).toMatch(/^M/);
  });

  it('is projected by the page as it was here', () => {
    const context = { createImageData: () => ({ data: new Uint8ClampedArray(4) }) };
    const canvas = { width: globe.width * 1.4, height: globe.height * 1.4, getContext: () => context };
    const { degrees, project } = worldStage(canvas, {
      mosaic,
      rows: { ...globe.rows, height: globe.height },
    });
    for (const [lon, lat] of [
      [-150, 60],
      [0, 0],
      [37, -41],
      [170, 12],
    ]) {
      const [x, y] = globe.project(lon, lat);
      expect(Math.hypot(degrees(lon, lat)[0] / 1.4 - x, degrees(lon, lat)[1] / 1.4 - y)).toBeLessThan(1.5);
    }
    const [x, y] = globe.project(-170 + 0.5, 60 - 0.5);
    expect(Math.hypot(project(190, 0)[0] / 1.4 - x, project(190, 0)[1] / 1.4 - y)).toBeLessThan(1.5);
  });

  it('is coloured where tiles are, from the cell under each pixel', () => {
    const bytes = new Uint8Array(mosaic!.width * mosaic!.height).fill(255);
    for (let row = 0; row < 12; row++) bytes.fill(200, row * 360 + 180, row * 360 + 190);
    const { pixels, width } = worldPixels({ bytes, width: 360, height: 92 }, mosaic!, globe, table(FIELD));
    const alpha = ([lon, lat]: [number, number]) => {
      const [x, y] = globe.project(lon, lat).map(Math.floor);
      return pixels[(y * width + x) * 4 + 3];
    };
    expect([alpha([-176, 55]), alpha([-160, 55]), alpha([-176, 20]), alpha([176, 55])]).toEqual([
      255, 0, 0, 0,
    ]);
  });

  it('draws single maps north up', () => {
    const colours = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    const { pixels } = plainPixels({ bytes: Uint8Array.of(0, 254), width: 1, height: 2 }, colours, {
      flip: true,
    });
    expect([pixels[0], pixels[4]]).toEqual([255, 0]);
  });
});

describe('the script of the page', () => {
  it('finds the frame of a series at a time', () => {
    const pack = { first: [0, 3, 5], time: [1, 2, 4, 1, 4] };
    expect([frameAt(pack, 0, 4), frameAt(pack, 1, 4), frameAt(pack, 1, 2)]).toEqual([2, 4, -1]);
  });

  it('draws lines of equal value as closed rings, halfway between cells, never beside nothing', () => {
    const picture = (hole: number) => ({
      bytes: Float32Array.of(0, 0, 0, 0, 100, 0, 0, 0, hole),
      width: 3,
      height: 3,
    });
    const pieces = (hole: number) => {
      const found: number[][] = [];
      contour(picture(hole), 50, (...ends: number[]) => found.push(ends));
      return found;
    };
    const ends = pieces(0).flatMap(([a, b, c, d]) => [`${a} ${b}`, `${c} ${d}`]);
    expect(ends).toHaveLength(8);
    expect([...new Set(ends)].sort()).toEqual(['0.5 1', '1 0.5', '1 1.5', '1.5 1']);
    expect(pieces(255)).toHaveLength(3);
  });
});
