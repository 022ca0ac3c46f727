/** LERC blobs (Lerc2, versions 3 and 4, one band) with blocks of every kind, for tests of what reads them. */

export interface LercPicture {
  version: 3 | 4;
  /** Number of the type in the header, and bytes of one number. */
  type: number;
  rows: number;
  columns: number;
  /** Cells of a block along each axis. */
  side: number;
  maxError: number;
  least: number;
  largest: number;
  /** 1 where a cell is valid; all are where there is none. */
  valid?: Uint8Array;
  /** Bytes of the block at row and column of its first cell, with so many valid cells; its first byte lacks the mark of place. */
  block(top: number, left: number, cells: number): number[];
}

export const BYTES: Record<number, number> = { 2: 2, 3: 2, 6: 4, 7: 8 };
const SETTERS = { 0: 'setInt8', 1: 'setUint8', 2: 'setInt16', 3: 'setUint16', 4: 'setInt32' } as const;

/** A number of a type, as bytes. */
export function numberBytes(type: number, value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  if (type === 6) view.setFloat32(0, value, true);
  else if (type === 7) view.setFloat64(0, value, true);
  else view[SETTERS[type as keyof typeof SETTERS]](0, value, true);
  const bytes = type === 7 ? 8 : type === 4 || type === 6 ? 4 : type < 2 ? 1 : 2;
  return [...new Uint8Array(view.buffer, 0, bytes)];
}

/** Numbers of `bits` bits, least significant first. */
export function stuffed(numbers: readonly number[], bits: number): number[] {
  const out = new Array(Math.ceil((numbers.length * bits) / 8)).fill(0);
  for (const [i, number] of numbers.entries())
    for (let b = 0; b < bits; b++)
      if ((number / 2 ** b) & 1) out[(i * bits + b) >> 3] |= 1 << ((i * bits + b) & 7);
  return out;
}

export function lercBlob(picture: LercPicture): Uint8Array {
  const { version, type, rows, columns, side, maxError, least, largest, valid } = picture;
  const isValid = (cell: number) => !valid || valid[cell] === 1;
  const seen = valid ? valid.reduce((sum, v) => sum + v, 0) : rows * columns;
  const mask = valid && seen < rows * columns ? maskRuns(valid) : [];
  const body: number[] = [...numberBytes(4, mask.length), ...mask];
  if (version === 4) body.push(...numberBytes(type, least), ...numberBytes(type, largest));
  body.push(0);
  for (let top = 0; top < rows; top += side)
    for (let left = 0; left < columns; left += side) {
      let cells = 0;
      for (let row = top; row < Math.min(rows, top + side); row++)
        for (let column = left; column < Math.min(columns, left + side); column++)
          if (isValid(row * columns + column)) cells++;
      const [head, ...rest] = cells === 0 ? [2] : picture.block(top, left, cells);
      body.push(head | (((left >> 3) & 15) << 2), ...rest);
    }
  const ints = [rows, columns, ...(version === 4 ? [1] : []), seen, side];
  const headBytes = 14 + 4 * (ints.length + 2) + 24;
  const head = [
    ...ints.flatMap((n) => numberBytes(4, n)),
    ...[headBytes + body.length, type].flatMap((n) => numberBytes(4, n)),
    ...[maxError, least, largest].flatMap((n) => numberBytes(7, n)),
  ];
  const checked = Uint8Array.from([...head, ...body]);
  const sum = fletcher(checked);
  return Uint8Array.from([
    ...new TextEncoder().encode('Lerc2 '),
    ...numberBytes(4, version),
    ...numberBytes(4, sum | 0),
    ...checked,
  ]);
}

/** Each byte of the bit mask as a run of its own, or as one of many where it repeats. */
function maskRuns(valid: Uint8Array): number[] {
  const bits = new Uint8Array(Math.ceil(valid.length / 8));
  for (const [cell, v] of valid.entries()) if (v) bits[cell >> 3] |= 128 >> (cell & 7);
  const out: number[] = [];
  for (let i = 0; i < bits.length; ) {
    let n = 1;
    while (bits[i + n] === bits[i] && n < 30_000) n++;
    out.push(...(n > 1 ? numberBytes(2, -n) : numberBytes(2, 1)), bits[i]);
    i += n;
  }
  return [...out, ...numberBytes(2, -32_768)];
}

/** Fletcher's checksum of 16-bit words, high byte first. */
export function fletcher(bytes: Uint8Array): number {
  let [a, b] = [0xffff, 0xffff];
  for (let i = 0; i < bytes.length; i += 2) {
    a = (a + bytes[i] * 256 + (bytes[i + 1] ?? 0)) % 65_535;
    b = (b + a) % 65_535;
  }
  return ((b || 65_535) * 65_536 + (a || 65_535)) >>> 0;
}
