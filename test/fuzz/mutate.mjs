/** Seeded changes to bytes and to JSON that keep most of the structure, so that they reach deep into a parser. */

/** mulberry32: integers below `n`, the same for the same seed. */
export function dice(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  8,
  16,
  127,
  128,
  255,
  256,
  32_767,
  32_768,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const pick = (roll, list) => list[roll(list.length)];

const MUTATIONS = [
  (bytes, roll) => {
    bytes[roll(bytes.length)] ^= 1 << roll(8);
  },
  (bytes, roll) => {
    bytes[roll(bytes.length)] = roll(256);
  },
  (bytes, roll) => number(bytes, roll, 2),
  (bytes, roll) => number(bytes, roll, 4),
  (bytes, roll) => number(bytes, roll, 8),
  // One number of the file in place of another: offsets, counts and sizes change places.
  (bytes, roll) => {
    const [from, to] = [roll(bytes.length) & ~3, roll(bytes.length) & ~3];
    bytes.copyWithin(to, from, from + 4);
  },
  (bytes, roll) => {
    const length = 1 + roll(64);
    bytes.copyWithin(roll(bytes.length), roll(bytes.length), roll(bytes.length) + length);
  },
  (bytes, roll) => bytes.fill(pick(roll, [0, 255, 32]), roll(bytes.length), roll(bytes.length)),
  (bytes, roll) => bytes.subarray(0, roll(bytes.length)),
  (bytes, roll) => Buffer.concat([bytes.subarray(0, roll(bytes.length)), bytes.subarray(roll(bytes.length))]),
];

function number(bytes, roll, width) {
  if (bytes.length < width) return;
  const at = roll(bytes.length - width + 1);
  const value = pick(roll, NUMBERS);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = roll(2) === 0;
  if (width === 2) view.setUint16(at, value & 0xffff, little);
  else if (width === 4) view.setUint32(at, value, little);
  else view.setBigUint64(at, BigInt(value) << BigInt(roll(2) * 31), little);
}

/** A copy of `bytes` with one to four changes; near the start where most structure lies, as often as anywhere. */
export function mutateBytes(bytes, roll) {
  let copy = Buffer.from(bytes);
  for (let n = 1 + roll(4); n > 0 && copy.length > 0; n--) {
    const head = roll(2) === 0 ? copy.subarray(0, Math.min(copy.length, 512)) : copy;
    const made = pick(roll, MUTATIONS)(head, roll);
    if (made instanceof Uint8Array)
      copy = head === copy ? Buffer.from(made) : copy.subarray(0, copy.length - roll(8));
  }
  return copy;
}

const VALUES = [
  null,
  true,
  '',
  'x',
  '../../x',
  '\0',
  -1,
  0.5,
  1e300,
  2 ** 53,
  [],
  {},
  [[]],
  '__proto__',
  'NaN',
];

/** A deep copy of plain data with one part taken away, doubled or replaced. */
export function mutateJson(value, roll) {
  const copy = structuredClone(value);
  const places = [];
  const walk = (node) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node, key]);
      walk(node[key]);
    }
  };
  walk(copy);
  if (places.length === 0) return pick(roll, VALUES);
  const [node, key] = pick(roll, places);
  const change = roll(4);
  if (change === 0) Array.isArray(node) ? node.splice(Number(key), 1) : delete node[key];
  else if (change === 1 && Array.isArray(node)) node.splice(Number(key), 0, structuredClone(node[key]));
  else if (change === 2) {
    const [other, name] = pick(roll, places);
    node[key] = structuredClone(other[name] ?? null);
  } else node[key] = pick(roll, VALUES);
  return copy;
}

/** Text out of the parts of a grammar, in and out of order. */
export function mutateText(parts, roll) {
  const text = Array.from({ length: 1 + roll(8) }, () => pick(roll, parts)).join(
    pick(roll, ['', ' ', '-', ':', 'T', ',']),
  );
  if (roll(3) > 0) return text;
  const at = roll(text.length + 1);
  return (
    text.slice(0, at) +
    pick(roll, ['\0', '\u2028', '٣', 'é', '"', '\n', '9'.repeat(1 + roll(400))]) +
    text.slice(at)
  );
}
