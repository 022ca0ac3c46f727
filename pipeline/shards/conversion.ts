/** How stored numbers become physical ones: the kernel's function for a dataset's type and bands, and the table it wants. */
import type { DatasetDescription, Dtype } from '../../schemas/records/index.js';

export interface Conversion {
  /** Function of the kernels `unpack` and `unpackShared`: `(from, to, numbers, bands, table)`. */
  name: string;
  /** True where numbers are stored as they are: no scale, no offset. */
  plain: boolean;
  /** Scales of four times all bands, then offsets: as many as the kernel takes in before they come again. */
  table: Float64Array;
}

const NAMES: Record<Dtype, string> = { u8: 'U8', u16: 'U16', i16: 'I16', f32: 'F32' };
/** Numbers that the kernel takes at once. */
const AT_ONCE = 4;

export function conversionOf({ bands, dtype }: Pick<DatasetDescription, 'bands' | 'dtype'>): Conversion {
  const plain = bands.every(({ scale, offset }) => scale === 1 && offset === 0);
  const scales = bands.map(({ scale }) => scale);
  const offsets = bands.map(({ offset }) => offset);
  const repeated = (list: number[]) => Array.from({ length: AT_ONCE }, () => list).flat();
  return {
    name: `${plain ? 'unpack' : 'scale'}${NAMES[dtype]}`,
    plain,
    table: Float64Array.from([...repeated(scales), ...repeated(offsets)]),
  };
}
