/** The header that NumPy writes before the values: type, shape and order. */
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import type { Dimension } from './sidecar.js';

const MAGIC = '\x93NUMPY';
const MOST_HEADER_BYTES = 65_536;
/** What lies before the header's length in versions 1, and 2 and 3. */
const PREAMBLE = [10, 12] as const;

export interface Layout {
  shape: number[];
  /** Entries from one index to the next, along each dimension. */
  strides: number[];
  names: Dimension[];
  /** `i16` ...; `i64` and `u64` become 64-bit floats. */
  stored: string;
  littleEndian: boolean;
  /** First byte of the values. */
  begin: number;
}

/** The header is a Python dictionary of three entries; nothing else is taken. */
export async function readArrayHeader(source: ByteSource): Promise<Omit<Layout, 'names'>> {
  const head = await source.read(0, PREAMBLE[1]);
  if (Buffer.from(head.subarray(0, 6)).toString('latin1') !== MAGIC)
    throw bad(source, 'it does not start as NumPy arrays do', 'a file written by numpy.save');
  const version = head[6];
  if (version < 1 || version > 3) throw bad(source, `its version is ${version}`, '1, 2 or 3');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MOST_HEADER_BYTES)
    throw bad(source, `its header has ${length} bytes`, `at most ${MOST_HEADER_BYTES}`);
  const from = PREAMBLE[version === 1 ? 0 : 1];
  const text = Buffer.from(await source.read(from, length)).toString('utf8');
  const descr = /'descr':\s*'([^']+)'/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (/'descr':\s*\[/.test(text)) throw bad(source, 'it holds records', 'an array of plain numbers');
  if (descr === undefined || fortran === undefined || dims === undefined)
    throw bad(source, 'its header cannot be read', 'descr, fortran_order and shape');
  const [, order, type] = /^([<>|=])(b1|[iu][1248]|f[48])$/.exec(descr) ?? [];
  if (!type)
    throw bad(
      source,
      descr.includes('O')
        ? 'it holds Python objects (a pickle), which are never loaded'
        : `its values are ${descr}`,
      'integers, or floats of 32 or 64 bits',
    );
  const shape = dims
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const bytes = Number(type.slice(1));
  const entries = shape.reduce((n, size) => n * size, 1);
  if (from + length + entries * bytes !== source.size)
    throw bad(
      source,
      `it has ${source.size} bytes`,
      `${from + length + entries * bytes} for ${shape.join(' x ')} values`,
    );
  return {
    ...{ shape, strides: strides(shape, fortran === 'True'), begin: from + length },
    stored: `${type[0] === 'b' ? 'u' : type[0]}${bytes * 8}`,
    littleEndian: order !== '>',
  };
}

function strides(shape: readonly number[], fortran: boolean): number[] {
  return shape.map((_, d) =>
    (fortran ? shape.slice(0, d) : shape.slice(d + 1)).reduce((n, size) => n * size, 1),
  );
}

export const bad = ({ path }: ByteSource, found: string, expected: string): BadRasterError =>
  new BadRasterError(`cannot read ${path}: ${found}; ${expected} was expected`, {
    hint: 'write it again with numpy.save, or leave it out with --on-bad-frame skip',
    fields: { path, found, expected },
  });
