import { describe, expect, it } from 'vitest';
import type { DatasetDescription, Slot } from '../../schemas/records/index.js';
import { groupKey, groupSlots } from '../../workers/groups.js';

const description = (edge: number): DatasetDescription => ({
  formatVersion: 1,
  encoderVersion: 1,
  grid: { width: edge, height: edge, transform: null, crs: 'none' },
  sourceGrid: { width: edge, height: edge, transform: null, crs: 'none' },
  bands: [{ name: 'a', unit: null, scale: 1, offset: 0 }],
  dtype: 'f32',
  resampling: 'nearest',
  stepMs: 3_600_000,
  time: 'utc',
  series: [{ name: 's', transform: null, footprint: null, tile: null }],
});

/** `tiles` series, each with `slots` slots of `frames` frames; slot j of every series reads the same files. */
function plan(tiles: number, slots: number, frames: number): Slot[] {
  const all: Slot[] = [];
  for (let tile = 0; tile < tiles; tile++)
    for (let j = 0; j < slots; j++)
      all.push({
        slot: `t${tile}-${j}`,
        series: `t${tile}`,
        frames: Array.from({ length: frames }, (_, i) => ({
          time: j * frames + i,
          sources: [
            { path: `/m${j * frames + i}`, size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] },
          ],
        })),
      });
  return all;
}

describe('groupSlots', () => {
  it('puts every slot into exactly one group, and only slots with the same sources together', () => {
    for (const tiles of [1, 2, 3, 65, 130])
      for (const slots of [1, 2, 5]) {
        const groups = groupSlots(plan(tiles, slots, 3), description(4));
        expect(
          groups
            .flat()
            .map(({ slot }) => slot)
            .sort(),
        ).toEqual(
          plan(tiles, slots, 3)
            .map(({ slot }) => slot)
            .sort(),
        );
        expect(groups).toHaveLength(slots * Math.ceil(tiles / 64));
        for (const group of groups)
          expect(new Set(group.map(({ frames }) => frames[0].sources[0].path)).size).toBe(1);
      }
  });

  it('holds the frames of a group under 128 MiB, and gives a slot that is larger a group of its own', () => {
    const edge = 2048; // 16 MiB a frame as f32
    expect(groupSlots(plan(9, 1, 1), description(edge)).map((g) => g.length)).toEqual([7, 2]);
    expect(groupSlots(plan(3, 1, 12), description(edge)).map((g) => g.length)).toEqual([1, 1, 1]);
  });

  it('gives the same groups with the same keys each time', () => {
    const keys = () => groupSlots(plan(5, 3, 2), description(4)).map(groupKey);
    expect(keys()).toEqual(keys());
    expect(new Set(keys()).size).toBe(3);
  });
});
