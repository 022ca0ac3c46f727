/** Classic little-endian TIFF files taken apart and put together wrongly. Written against TIFF 6.0, not against our reader. */
export interface TiffEntry {
  tag: number;
  type: number;
  count: number;
  /** Where the entry itself lies, 12 bytes. */
  at: number;
  /** Where its values lie. */
  values: number;
  bytes: number;
}

const SIZES: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 11: 4, 12: 8 };

export const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripCounts: 279,
  planar: 284,
  predictor: 317,
  tileWidth: 322,
  tileHeight: 323,
  format: 339,
  scale: 33550,
  tie: 33922,
  matrix: 34264,
  keys: 34735,
  metadata: 42112,
  nodata: 42113,
} as const;

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function entriesOf(bytes: Uint8Array): { at: number; link: number; entries: TiffEntry[] } {
  const data = view(bytes);
  const at = data.getUint32(4, true);
  const n = data.getUint16(at, true);
  const entries = Array.from({ length: n }, (_, i): TiffEntry => {
    const o = at + 2 + 12 * i;
    const [tag, type, count] = [
      data.getUint16(o, true),
      data.getUint16(o + 2, true),
      data.getUint32(o + 4, true),
    ];
    const size = count * (SIZES[type] ?? 1);
    return { tag, type, count, at: o, values: size <= 4 ? o + 8 : data.getUint32(o + 8, true), bytes: size };
  });
  return { at, link: at + 2 + 12 * n, entries };
}

export function entryOf(bytes: Uint8Array, tag: number): TiffEntry {
  const entry = entriesOf(bytes).entries.find((e) => e.tag === tag);
  if (!entry) throw new Error(`the healthy file has no tag ${tag}`);
  return entry;
}

/** A copy of `bytes` changed by `change`. */
export function changed(bytes: Uint8Array, change: (data: DataView, copy: Uint8Array) => void): Uint8Array {
  const copy = Uint8Array.from(bytes);
  change(view(copy), copy);
  return copy;
}

/** Gives a tag one LONG (or SHORT) value in its entry. */
export const withNumber = (bytes: Uint8Array, tag: number, value: number): Uint8Array =>
  changed(bytes, (data) => {
    const { at } = entryOf(bytes, tag);
    data.setUint16(at + 2, 4, true);
    data.setUint32(at + 4, 1, true);
    data.setUint32(at + 8, value, true);
  });

/** Overwrites fields of a tag's entry. */
export const withEntry = (
  bytes: Uint8Array,
  tag: number,
  { type, count, pointer, rename }: { type?: number; count?: number; pointer?: number; rename?: number },
): Uint8Array =>
  changed(bytes, (data) => {
    const { at } = entryOf(bytes, tag);
    if (rename !== undefined) data.setUint16(at, rename, true);
    if (type !== undefined) data.setUint16(at + 2, type, true);
    if (count !== undefined) data.setUint32(at + 4, count, true);
    if (pointer !== undefined) data.setUint32(at + 8, pointer, true);
  });

/** Puts other values behind a tag, at the end of the file. */
export function withValues(bytes: Uint8Array, tag: number, type: number, values: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + values.length + (values.length % 2));
  out.set(bytes);
  out.set(values, bytes.length);
  const count = values.length / SIZES[type];
  return withEntry(out, tag, { type, count, pointer: bytes.length });
}

export const doubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
export const shorts = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
export const longs = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
export const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);

/** Replaces the packed bytes of the first block, at the end of the file. */
export function withFirstBlock(
  bytes: Uint8Array,
  offsets: number,
  counts: number,
  block: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(bytes.length + block.length);
  out.set(bytes);
  out.set(block, bytes.length);
  const [places, sizes] = [entryOf(bytes, offsets), entryOf(bytes, counts)];
  return changed(out, (data) => {
    if (places.type === 3) data.setUint16(places.values, bytes.length, true);
    else data.setUint32(places.values, bytes.length, true);
    if (sizes.type === 3) data.setUint16(sizes.values, Math.min(block.length, 65_535), true);
    else data.setUint32(sizes.values, block.length, true);
  });
}
