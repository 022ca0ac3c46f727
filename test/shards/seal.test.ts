import { tableFromArrays } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import {
  openSealedArrow,
  openSealedJson,
  openSealedLines,
  sealArrow,
  sealJson,
  sealLines,
} from '../../pipeline/shards/seal.js';

const value = { name: 'grönland', transform: [1.5e-16, 0.25, -3], reason: null, nested: { rows: 12 } };
const FORMS: Record<string, { bytes: Buffer; open(bytes: Buffer): unknown }> = {
  'a JSON document': { bytes: Buffer.from(sealJson(value)), open: (b) => openSealedJson(b.toString()) },
  'an indented JSON document': {
    bytes: Buffer.from(sealJson(value, 2)),
    open: (b) => openSealedJson(b.toString(), 2),
  },
  'JSON lines': {
    bytes: Buffer.from(sealLines([value, { slot: 1 }])),
    open: (b) => openSealedLines(b.toString()),
  },
  'an Arrow file': {
    bytes: Buffer.from(
      sealArrow(tableFromArrays({ label: Int8Array.of(0, 1, 1), lat: Float32Array.of(1, 2, 3) })),
    ),
    open: (b) => openSealedArrow(b),
  },
};

describe.each(Object.entries(FORMS))('%s with a seal', (_name, { bytes, open }) => {
  it('opens as it was written', () => {
    expect(() => open(bytes)).not.toThrow();
  });

  it('is refused with any bit flipped', () => {
    for (let i = 0; i < bytes.length * 8; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i >> 3] ^= 1 << (i & 7);
      expect(() => open(flipped), `bit ${i}`).toThrow(Error);
    }
  });

  it('is refused at any shorter or greater length', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(() => open(bytes.subarray(0, length)), `length ${length}`).toThrow(Error);
    expect(() => open(Buffer.concat([bytes, Buffer.from('\n')]))).toThrow(Error);
  });

  it('is refused with random bytes in random places', () => {
    const random = Random.from(5);
    for (let n = 0; n < 200; n++) {
      const changed = Buffer.from(bytes);
      for (let k = 0; k < 3; k++) changed[random.integer(bytes.length)] = random.integer(256);
      if (!changed.equals(bytes)) expect(() => open(changed)).toThrow(Error);
    }
  });
});

it('sealed documents come back without their seal', () => {
  expect(openSealedJson(sealJson(value))).toEqual(value);
  expect(openSealedLines(sealLines([value, { slot: 1 }]))).toEqual([value, { slot: 1 }]);
  expect(openSealedLines(sealLines([]))).toEqual([]);
});
