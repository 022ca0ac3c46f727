import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packAttention } from '../../pipeline/reports/frames/attention.js';
import { byImportance, gallery, openingFrame, shownFrames } from '../../pipeline/reports/frames/choose.js';
import { readFields } from '../../pipeline/reports/frames/fields.js';
import { NOTHING, packBytes, quantise, robustRange } from '../../pipeline/reports/frames/quantise.js';
import { packCoast } from '../../pipeline/reports/maps/coast.js';
import { stageOf } from '../../pipeline/reports/maps/stage.js';
import { FROM, HOUR, playerModule, report, worldTiles } from './fixture.js';

const { unpackBytes, unpackCoast } = await playerModule('decode');
const { cut, upsideDown } = await playerModule('frame');

describe('packed bytes', () => {
  it('come back from the page as they were, for any rows', async () => {
    const rows = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }));
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        async ([width, n], stream) => {
          const bytes = Uint8Array.from({ length: width * n }, () => stream.next().value);
          expect([...(await unpackBytes(packBytes(bytes, width), width))]).toEqual([...bytes]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('hold values to half a step, and nothing where nothing was observed', () => {
    const values = Float32Array.from([990, 1000.4, Number.NaN, 1010]);
    const bytes = quantise(values, { low: 990, high: 1010 });
    expect(bytes[2]).toBe(NOTHING);
    for (const i of [0, 1, 3]) expect(990 + (bytes[i] * 20) / 254).toBeCloseTo(values[i], 1);
    expect([...quantise(Float32Array.from([-1, 2000]), { low: 990, high: 1010 })]).toEqual([0, 254]);
  });

  it('are scaled over a range that is never empty and leaves out single outliers', () => {
    expect(robustRange(Float32Array.from([Number.NaN]))).toEqual({ low: 0, high: 1 });
    expect(robustRange(Float32Array.from([7, 7, 7]))).toEqual({ low: 6.5, high: 7.5 });
    const many = Float32Array.from({ length: 10_000 }, (_, i) => (i === 5000 ? 1e9 : i / 10_000));
    expect(robustRange(many).high).toBeLessThan(1.1);
  });

  it('bring the coasts back to a hundredth of a degree, with no line across the map', async () => {
    const lines: number[][] = await unpackCoast(packCoast([[-180, -90, 180, 90]], 0.3));
    expect(lines.length).toBeGreaterThan(500);
    for (const line of lines)
      for (let i = 2; i < line.length; i += 2) expect(Math.abs(line[i] - line[i - 2])).toBeLessThan(90);
  });
});

describe('the mosaic of tiles', () => {
  it('lays every cell where it is on Earth: flipped tiles right side up, across the date line without a seam', async () => {
    const { series, grid } = worldTiles();
    const data = report({ frames: series.length, size: 12, series, grid });
    const stage = stageOf(data.store!.description);
    expect(stage).toMatchObject({
      kind: 'world',
      mosaic: { row: 20, height: 92, width: 360, wraps: true, north: 60 },
    });
    // The value of a cell is its latitude, whatever the order of the rows in the tile.
    const read = async (frames: ArrayLike<number>, out: { values: Float32Array; valid: Uint8Array }) => {
      out.valid.fill(1);
      for (let i = 0; i < frames.length; i++) {
        const { transform } = series[data.index!.series[frames[i]]];
        for (let cell = 0; cell < 144; cell++) {
          const lat = transform![3] + transform![5] * (Math.floor(cell / 12) + 0.5);
          out.values.fill(lat, (i * 144 + cell) * 2, (i * 144 + cell) * 2 + 2);
        }
      }
    };
    const fields = (await readFields({ ...data, store: { ...data.store!, read } }, stage))!;
    const [{ low, high }] = fields.bands;
    const value = (row: number, column: number) => {
      const byte = fields.bytes[row * 360 + column];
      return byte === NOTHING ? Number.NaN : low + (byte * (high - low)) / 254;
    };
    for (const row of [0, 5, 11, 80, 91]) expect(value(row, 3), `row ${row}`).toBeCloseTo(60 - row - 0.5, 0);
    expect(value(40, 3)).toBeNaN();
    expect(value(5, 20)).toBeNaN();
    const southern = series.find((s) => s.tile!.flip)!.tile!;
    const own = cut({ bytes: fields.bytes.subarray(0, 360 * 92) }, stage.mosaic, [
      southern.row,
      southern.column,
      12,
      12,
      1,
    ]);
    expect(own.bytes[0]).toBeGreaterThan(own.bytes[11 * 12]);
    expect([...upsideDown(Uint8Array.of(1, 2, 3, 4), 2, 2)]).toEqual([3, 4, 1, 2]);
  });

  it('joins a tile that runs past the last column to the first one', async () => {
    const { series, grid } = worldTiles(12, 30);
    series[11] = { ...series[11], tile: { ...series[11].tile!, column: 354 } };
    const data = report({ frames: series.length, size: 12, series, grid });
    const stage = stageOf(data.store!.description);
    const { bytes } = (await readFields(data, stage))!;
    expect([bytes[359], bytes[354]].includes(NOTHING)).toBe(false);
    expect(bytes[365 % 360]).not.toBe(NOTHING);
  });
});

describe('what is shown first', () => {
  it('is the surest storm of the test part, and frames of the test part come first', () => {
    const data = report();
    expect(shownFrames(data)).toEqual(Array.from({ length: 20 }, (_, i) => 20 + i));
    expect(openingFrame(data)).toBe(24);
    expect(
      byImportance(data)
        .slice(0, 20)
        .sort((a, b) => a - b),
    ).toEqual(shownFrames(data));
    expect(openingFrame({ ...data, predictions: null })).toBe(24);
    expect(openingFrame({ ...data, index: null })).toBe(0);
  });

  it('holds few frames where the budget is small, test part and storms first', async () => {
    const data = report({ frames: 80 });
    const fields = (await readFields(data, stageOf(data.store!.description), 144 * 10))!;
    expect(fields.whole).toBe(false);
    expect(fields.keys.every((f) => f >= 40)).toBe(true);
    const attention = packAttention(data, 144 * 3)!;
    expect(attention.keys).toHaveLength(3);
    expect(Math.max(...attention.bytes.subarray(0, 144))).toBe(254);
  });

  it('shows different storms in the gallery: none within a day of another in one series', () => {
    const [surest] = gallery(report({ frames: 80 }));
    expect(surest.kind).toBe('Surest storms');
    const times = surest.frames.map((f) => FROM + f * HOUR).sort((a, b) => a - b);
    for (let i = 1; i < times.length; i++) expect(times[i] - times[i - 1]).toBeGreaterThanOrEqual(24 * HOUR);
  });
});
