/** Which band of which file is which band of the dataset. */
import { BandMismatchError } from '../errors.js';
import type { BandHeader } from './map.js';
import type { ScannedMap, ScannedSource } from './scan.js';

export interface BandPlace {
  source: ScannedSource;
  band: BandHeader;
}

interface Candidate extends BandPlace {
  name: string | null;
}

/** Band names of a map: from the `{band}` pattern, the file's own, or band1, band2 ... */
export function bandNames(map: ScannedMap): string[] {
  return candidates(map).map(({ name }, i) => name ?? `band${i + 1}`);
}

/**
 * For each of `names` the file and band that give it: by name, or by position where a file does not name its bands and
 * has as many as wanted. BandMismatchError otherwise.
 */
export function placeBands(map: ScannedMap, names: readonly string[]): BandPlace[] {
  const found = candidates(map);
  const byName = names.map((wanted) => found.filter(({ name }) => name === wanted));
  if (byName.every((places) => places.length === 1)) return byName.map(([place]) => place);
  const named = found.every(({ name }) => name !== null);
  if (!named && found.length === names.length) return found;
  const has = found.map(({ name }, i) => name ?? `band${i + 1}`);
  const [{ file }] = map.sources;
  throw new BandMismatchError(
    `cannot add ${file.path} to series "${map.series}": it has bands [${has.join(', ')}]; [${names.join(', ')}] were expected`,
    {
      hint: 'choose bands that every map has with --bands, or leave the file out with --on-bad-frame skip',
      fields: { path: file.path, found: has, expected: names },
    },
  );
}

function candidates(map: ScannedMap): Candidate[] {
  return map.sources.flatMap((source) => {
    const { header, band: token, file } = source;
    if (token !== null && header.bands.length !== 1)
      throw new BandMismatchError(
        `${file.path} is named for band "${token}" and holds ${header.bands.length} bands`,
        {
          hint: 'take {band} out of --time, or split the file',
          fields: { path: file.path, found: header.bands.length, expected: 1 },
        },
      );
    return header.bands.map((band) => ({ source, band, name: token ?? band.name }));
  });
}
