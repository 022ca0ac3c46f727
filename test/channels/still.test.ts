import { describe, expect, it } from 'vitest';
import { stillNote, stillShare } from '../../pipeline/channels/index.js';
import { memoryStore } from '../../pipeline/shards/store.js';
import { small } from '../training/fixture.js';

/** The fixture's frames with a mark drawn over the last row: one tenth of all cells. */
async function marked(draw: ((frame: number) => number) | null, dtype: 'u8' | 'f32' = 'f32') {
  const { store, split } = small({ bad: [3] });
  const { index } = store;
  const values = new Float32Array(index.length * 200);
  const all = Array.from({ length: index.length }, (_, f) => f);
  await store.read(all, { values, valid: new Uint8Array(index.length * 100) });
  if (draw) for (const f of all) values.fill(draw(f), f * 200 + 180, (f + 1) * 200);
  const description = { ...store.description, dtype };
  const train = all.filter((f) => split.part[f] === 0);
  return { store: memoryStore({ description, index, values }), train };
}

describe('cells that never change', () => {
  it('are found where a mark is drawn over the maps, and nowhere else', async () => {
    const plain = await marked(null);
    expect(await stillShare(plain.store, plain.train)).toBe(0);
    const bar = await marked(() => 255);
    expect(await stillShare(bar.store, bar.train)).toBeCloseTo(0.1, 12);
  });

  it('may wander by three levels in 8-bit pictures, which lose a little when they are compressed', async () => {
    const wander = (f: number) => 250 + (f % 4);
    const picture = await marked(wander, 'u8');
    expect(await stillShare(picture.store, picture.train)).toBeCloseTo(0.1, 12);
    const field = await marked(wander);
    expect(await stillShare(field.store, field.train)).toBe(0);
  });

  it('are not told where fewer than eight good frames can be compared', async () => {
    const { store } = await marked(() => 255);
    expect(await stillShare(store, [0, 1, 2, 3, 4, 5, 6, 7])).toBeNull(); // frame 3 is bad
    expect(await stillShare(store, [0, 1, 2, 4, 5, 6, 7, 8])).toBeCloseTo(0.1, 12);
  });

  it('are told in one line with the cure', () => {
    expect(stillNote(0.1)).toMatch(/^10.0 % of all cells never change .* colour bar/);
    expect([stillNote(0), stillNote(0.001), stillNote(null)]).toEqual([null, null, null]);
  });
});
