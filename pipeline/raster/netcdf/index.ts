/** NetCDF of both kinds, classic and 4, told by their first bytes. */
import { BadRasterError } from '../../errors.js';
import { withFile } from '../bytes.js';
import {
  type CfHeader,
  decodeFields,
  describeFields,
  type FieldOptions,
  type VariableFile,
} from '../cf/index.js';
import type { DecodeLimits } from '../limits.js';
import type { DecodedMap } from '../map.js';
import { openClassic } from './classic.js';
import { withHdf5 } from './hdf5.js';

const HDF5_MAGIC = 0x89484446;

export const readNetCdfHeader = (
  path: string,
  limits: DecodeLimits,
  options: FieldOptions = {},
): Promise<CfHeader> => withVariables(path, (file) => describeFields(file, limits, options));

/** The named fields at position `index` of the time axis, north row first. */
export const decodeNetCdf = (
  path: string,
  wanted: readonly string[],
  index: number,
  limits: DecodeLimits,
): Promise<{ header: CfHeader; map: DecodedMap }> =>
  withVariables(path, (file) => decodeFields(file, wanted, index, limits));

async function withVariables<T>(path: string, work: (file: VariableFile) => Promise<T>): Promise<T> {
  return withFile(path, async (source) => {
    const head = await source.read(0, 8);
    if (new DataView(head.buffer, head.byteOffset).getUint32(0) === HDF5_MAGIC) return withHdf5(path, work);
    if (head[0] === 0x43 && head[1] === 0x44 && head[2] === 0x46) return work(await openClassic(source));
    throw new BadRasterError(`${path} is no NetCDF file: it starts with neither CDF nor HDF`, {
      hint: 'get the file again, or leave it out',
      fields: { path },
    });
  });
}
