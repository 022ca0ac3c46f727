import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import { partMask, timeline, windows } from '../../pipeline/sequences/index.js';
import { openBackend, tensor, tensorCount } from '../../pipeline/tensor/index.js';
import { drawMove, moveCell, moveFrames, STILL } from '../../pipeline/training/augment.js';
import { type BatchSource, makeBatch, sampler } from '../../pipeline/training/batch.js';
import { fitModel } from '../../pipeline/training/index.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

function source(length: number, gaps: 'split' | 'mask', options = {}): BatchSource {
  const { store, labels, split } = small({ seriesCount: 4, frames: 8, ...options });
  const slots = timeline(store.index, store.description.stepMs, {
    parts: partMask(split.part, 0),
    gaps,
    longestFill: length - 1,
  });
  return {
    index: store.index,
    labels,
    timeline: slots,
    windows: windows(slots.segments, { length, stride: 1 }),
    season: true,
  };
}

describe('makeBatch', () => {
  it('pads short windows in front: no frame, no mask, no season', () => {
    const batch = makeBatch(source(10, 'split'), [0, 1]);
    expect([...batch.runs]).toEqual([8, 8]);
    expect([...batch.place.slice(0, 4)]).toEqual([-1, -1, 0, 1]);
    expect([...batch.mask.slice(0, 3)]).toEqual([0, 0, 1]);
    expect([...batch.season!.slice(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(batch.count).toBe(16);
    expect([...batch.frames]).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it('leaves bad, ignored and unlabelled frames out of the loss; only bad ones out of the encoder', () => {
    const made = source(8, 'split', { bad: [3] });
    made.labels.ignore[4] = 1;
    made.labels.label[5] = -1;
    const batch = makeBatch(made, [0]);
    expect([...batch.frames]).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect([...batch.valid]).toEqual([1, 1, 1, 0, 1, 1, 1, 1]);
    expect([...batch.mask]).toEqual([1, 1, 1, 0, 0, 0, 1, 1]);
    expect([...batch.place]).toEqual([0, 1, 2, -1, 3, 4, 5, 6]);
    expect(batch.count).toBe(5);
  });

  it('fills a masked gap with slots that hold no frame', () => {
    const made = source(8, 'split');
    for (let i = 4; i < 8; i++) made.index.time[i] += 2 * 6 * 3_600_000;
    const slots = timeline(made.index, 6 * 3_600_000, {
      parts: partMask(new Uint8Array(32), 0),
      gaps: 'mask',
      longestFill: 7,
    });
    const masked = { ...made, timeline: slots, windows: windows(slots.segments, { length: 8, stride: 1 }) };
    const batch = makeBatch(masked, [0]);
    expect([...batch.frames]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...batch.valid]).toEqual([1, 1, 1, 1, 0, 0, 1, 1]);
    expect([...batch.mask]).toEqual([...batch.valid]);
  });
});

describe('sampler', () => {
  it.each([true, false])(
    'reads every window once an epoch, resident %s, as a pure function of seed and step',
    (resident) => {
      const { windows: all } = source(4, 'split');
      const options = { seed: 3, batch: 2, stride: 1, ringFrames: resident ? null : 200 };
      const sample = sampler(all, options);
      const steps = all.length / 2;
      const epoch = (e: number) => Array.from({ length: steps }, (_, s) => sample(e * steps + s)).flat();
      const [one, two] = [epoch(0), epoch(1)];
      expect(new Set(one).size).toBe(all.length);
      expect(new Set(two).size).toBe(all.length);
      expect(two).not.toEqual(one);
      expect(sampler(all, options)(steps + 2)).toEqual(two.slice(4, 6)); // straight to the middle, no history
    },
  );
});

describe('augmentation', () => {
  it('moves the centre cell as it moves the map, mirror first', () => {
    const move = { mirror: true, rows: 1, columns: -2 };
    expect(moveCell(2 * 10 + 3, move, 8, 10)).toBe(3 * 10 + 4);
    expect(moveCell(7 * 10 + 3, move, 8, 10)).toBe(-1);
    expect(moveCell(-1, move, 8, 10)).toBe(-1);
    expect(moveCell(25, STILL, 8, 10)).toBe(25);
  });

  it('carries every cell where its centre goes, and brings in zeros at the edge', async () => {
    await openBackend();
    const [height, width, shift] = [4, 5, 2];
    const cells = height * width;
    const before = tensorCount();
    const x = tensor(
      Float32Array.from({ length: 2 * cells }, (_, i) => 1 + i),
      [2, height, width, 1],
    );
    for (const mirror of [false, true])
      for (let rows = -shift; rows <= shift; rows++)
        for (let columns = -shift; columns <= shift; columns++) {
          const move = { mirror, rows, columns };
          const moved = moveFrames(
            x,
            [
              { frames: 1, move: STILL },
              { frames: 1, move },
            ],
            shift,
          );
          const expected = new Float32Array(2 * cells);
          for (let cell = 0; cell < cells; cell++) {
            expected[cell] = 1 + cell; // the other window stands still
            const at = moveCell(cell, move, height, width);
            if (at >= 0) expected[cells + at] = 1 + cells + cell;
          }
          expect(moved.dataSync(), JSON.stringify(move)).toEqual(expected);
          moved.dispose();
        }
    x.dispose();
    expect(tensorCount()).toBe(before);
  });

  it('that moves the map is refused beside channels that tell the place on the grid', async () => {
    await expect(
      fitModel({
        ...small(),
        model: modelConfig({ channels: { coordinates: true } }),
        training: trainingConfig({ shift: 1 }),
      }),
    ).rejects.toMatchObject({ tag: 'ConfigError', fields: { shift: 1, mirror: false, coordinates: true } });
  });

  it('draws shifts over the whole range and mirrors half of the time', () => {
    const random = Random.from(1);
    const moves = Array.from({ length: 400 }, () => drawMove({ noise: 0, mirror: true, shift: 2 }, random));
    expect(new Set(moves.map((m) => m.rows))).toEqual(new Set([-2, -1, 0, 1, 2]));
    const mirrored = moves.filter((m) => m.mirror).length;
    expect(mirrored).toBeGreaterThan(150);
    expect(mirrored).toBeLessThan(250);
  });
});
