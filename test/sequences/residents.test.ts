import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { residentRows } from '../../pipeline/sequences/residents.js';

describe('residentRows', () => {
  it('gives every lent frame a row of its own and reads it once while it is there, whatever is lent and given back', () => {
    const loan = fc.array(fc.integer({ min: -1, max: 30 }), { minLength: 1, maxLength: 6 });
    const step = fc.oneof(loan, fc.constant('give back' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 24 }), (steps, keep) => {
        const residents = residentRows(24, keep);
        const lent: { frames: number[]; rows: Int32Array }[] = [];
        const frameIn = new Map<number, number>(); // what was read into each row
        for (const one of steps) {
          if (one === 'give back' || lent.length === 4) {
            const back = lent.shift();
            if (back) residents.letGo(back.rows);
            continue;
          }
          const { rows, missing } = residents.hold(one);
          expect(new Set(missing).size).toBe(missing.length);
          for (const frame of missing) frameIn.set(residents.rowOf(frame), frame);
          lent.push({ frames: one, rows });
          for (const { frames, rows: held } of lent)
            frames.forEach((frame, i) => {
              if (frame < 0) expect(held[i]).toBe(-1);
              else expect(frameIn.get(held[i])).toBe(frame);
            });
        }
      }),
    );
  });

  it('gives way to the frame that was given back longest ago, and forgets one that could not be read', () => {
    const residents = residentRows(3);
    const first = residents.hold([5, 6, 7]);
    expect(first.missing).toEqual([5, 6, 7]);
    residents.letGo(first.rows);
    const again = residents.hold([5]);
    residents.letGo(again.rows);
    const { rows, missing } = residents.hold([8, 5]);
    expect([missing, residents.rowOf(6), residents.rowOf(7)]).toEqual([[8], -1, first.rows[2]]);
    residents.forget(8);
    residents.letGo(rows);
    expect(residents.hold([5, 7, 8]).missing).toEqual([8]);
  });

  it('takes back what it has counted when there is no room', () => {
    const residents = residentRows(3);
    const held = residents.hold([1, 2]);
    expect(() => residents.hold([2, 3, 4, 5])).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: expect.objectContaining({ capacity: 3 }) }),
    );
    residents.letGo(held.rows);
    expect(residents.hold([7, 8, 9]).missing).toEqual([7, 8, 9]);
  });
});
