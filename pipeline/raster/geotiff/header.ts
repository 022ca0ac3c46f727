/** What a GeoTIFF says about itself, checked against its own size and the limits before any pixel is touched. */
import type { Transform } from '../../../schemas/records/index.js';
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, MapHeader, SourceDtype } from '../map.js';
import { bad, type Directory, readTiff } from './directory.js';
import { type DescribedBand, gdalItems } from './gdal.js';
import { georeference } from './georeference.js';
import { type BlockLayout, dtypeBytes, readLayout, sampleType, wholeNumber } from './layout.js';

export interface GeoTiffHeader extends MapHeader {
  layout: BlockLayout;
  /** The page that says which cells hold values; null where there is none. */
  mask: BlockLayout | null;
}

/** BadRasterError when the file is no map we can read; nothing of its pixels is read. */
export async function readGeoTiffHeader(source: ByteSource, limits: DecodeLimits): Promise<GeoTiffHeader> {
  const { littleEndian, pages } = await readTiff(source);
  const page = await onlyMap(source, pages);
  const width = await wholeNumber(source, page, 256, 'width');
  const height = await wholeNumber(source, page, 257, 'height');
  const samples = (await page.number(277)) ?? 1;
  const { dtype } = await sampleType(source, page, samples);
  checkSize(source, { width, height, samples, dtype }, limits);
  const { items, bands: described } = gdalItems(await page.text(42112));
  const nodata = parseNodata(await page.text(42113), dtype);
  const alpha = await alphaSample(page, samples, described);
  const shape = { width, height, samples, littleEndian };
  const layout = await readLayout(source, page, { ...shape, nodata, alpha });
  const { transform, crs } = await georeference(page);
  if (transform && !isInvertible(transform))
    throw bad(source, `its transform is [${transform.join(', ')}]`, 'cells of a finite size above 0');
  const bands = Array.from({ length: samples }, (_, i): BandHeader => {
    const { name = null, unit = null, scale = 1, offset = 0 } = described[i] ?? {};
    return { name, unit, dtype, scale, offset, nodata, selector: i };
  }).filter((_, i) => i !== alpha);
  const timeText = items.get('TIME') ?? items.get('time') ?? (await page.text(306)) ?? null;
  const mask = await maskLayout(source, pages, shape);
  return { width, height, transform, crs, bands, times: null, timeText, layout, mask };
}

const SMALLER = 1;
const PAGE_OF_MANY = 2;
const MASK = 4;

const kind = async (page: Directory): Promise<number> => (await page.number(254)) ?? 0;

/** The one full-resolution page; overviews and masks are passed over. */
async function onlyMap(source: ByteSource, pages: Directory[]): Promise<Directory> {
  const full: Directory[] = [];
  for (const page of pages) if (((await kind(page)) & (SMALLER | MASK)) === 0) full.push(page);
  if (full.length === 1) return full[0];
  throw bad(source, `it holds ${full.length} full-resolution pages`, 'one map a file');
}

/** A mask of the whole map: a page of the same size with one number a cell, 0 where nothing was seen. */
async function maskLayout(
  source: ByteSource,
  pages: Directory[],
  { width, height, littleEndian }: { width: number; height: number; littleEndian: boolean },
): Promise<BlockLayout | null> {
  const masks: Directory[] = [];
  for (const page of pages) if (((await kind(page)) & ~PAGE_OF_MANY) === MASK) masks.push(page);
  if (masks.length === 0) return null;
  const [page] = masks;
  const samples = (await page.number(277)) ?? 1;
  const [w, h] = [await page.number(256), await page.number(257)];
  if (masks.length > 1 || samples !== 1 || w !== width || h !== height)
    throw bad(
      source,
      `it holds ${masks.length} masks, the first ${w} x ${h} with ${samples} numbers a cell`,
      `one mask of ${width} x ${height} with one`,
    );
  return readLayout(source, page, { width, height, samples, littleEndian });
}

const ASSOCIATED = 1;
const UNASSOCIATED = 2;

/** The sample that the file calls its opacity, unless it has a name as bands have. */
async function alphaSample(
  page: Directory,
  samples: number,
  described: readonly DescribedBand[],
): Promise<number | null> {
  const extra = (await page.numbers(338)) ?? [];
  const at = extra.findIndex((use) => use === ASSOCIATED || use === UNASSOCIATED);
  const sample = samples - extra.length + at;
  if (at < 0 || sample < 1 || described[sample]?.name) return null;
  return sample;
}

function checkSize(
  source: ByteSource,
  { width, height, samples, dtype }: { width: number; height: number; samples: number; dtype: SourceDtype },
  limits: DecodeLimits,
): void {
  const bytes = width * height * samples * dtypeBytes(dtype);
  const over =
    samples < 1 || samples > limits.bands
      ? `${samples} bands, ${limits.bands} are allowed`
      : width * height > limits.cells
        ? `${width} x ${height} cells, ${limits.cells} are allowed`
        : bytes > limits.decodedBytes
          ? `${bytes} bytes when decoded, ${limits.decodedBytes} are allowed`
          : null;
  if (over === null) return;
  throw new BadRasterError(`${source.path} claims ${over}`, {
    hint: 'cut the map into smaller files first (gdal_translate -srcwin), or leave the file out with --on-bad-frame skip',
    fields: { path: source.path, width, height, samples, bytes },
  });
}

const isInvertible = ([x, a, b, y, d, e]: Transform): boolean =>
  [x, a, b, y, d, e].every(Number.isFinite) && a * e - b * d !== 0;

/** The nodata value as the samples can hold it: the text has more digits than a 32-bit float. */
function parseNodata(text: string | undefined, dtype: SourceDtype): number | null {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text.trim().replace(/^nan$/i, 'NaN'));
  return dtype === 'f32' ? Math.fround(value) : value;
}
