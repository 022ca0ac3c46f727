/** What has to be mended in h5wasm before it reads a file that may be damaged. */

/**
 * The library drops what HDF5 returns: a chunk that does not unpack, fails its checksum or has a filter that is not known
 * would come back as whatever lay in memory.
 */
export function refuseFailedReads(library: object): void {
  const module = library as { get_dataset_data(...args: unknown[]): number };
  const read = module.get_dataset_data;
  if (typeof read !== 'function') throw new Error('h5wasm reads by another function than get_dataset_data');
  module.get_dataset_data = (...args) => {
    const status = read.apply(module, args);
    if (status < 0)
      throw new Error(
        'HDF5 cannot read a part of it: it is damaged, or packed by a filter that is not known',
      );
    return status;
  };
}
