/** GeoTIFF whose blocks are LERC, JPEG, WebP or PackBits, or that has a mask page: each codec's own lies. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { deflateBomb, zstdBomb } from './bombs.js';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';
import { changed, entriesOf, TAG, withEntry, withFirstBlock, withValues } from './tiff.js';

const variant = (name: string): Uint8Array =>
  readFileSync(new URL(`../../golden/raster/variants/${name}.tif`, import.meta.url));

const tagsOf = (bytes: Uint8Array): [number, number] =>
  entriesOf(bytes).entries.some(({ tag }) => tag === 324) ? [324, 325] : [TAG.stripOffsets, TAG.stripCounts];
const withBlock = (bytes: Uint8Array, block: Uint8Array): Uint8Array =>
  withFirstBlock(bytes, ...tagsOf(bytes), block);

const usual = (label: string, bytes: Uint8Array, count = 15): HostileCase[] => [
  ...flips(label, bytes, { count }),
  ...truncations(label, bytes, spread(bytes.length, 6)),
];

/** After its magic and version: checksum, rows, columns, depths, valid cells, size of micro blocks, of the blob, type. */
function lerc(bytes: Uint8Array): HostileCase[] {
  const begin = Buffer.from(bytes).indexOf('Lerc2 ');
  const fields = ['version', 'checksum', 'rows', 'columns', 'depths', 'valid', 'micro', 'blob', 'type'];
  const lies = fields.flatMap((name, i) =>
    [0, 1, 0x7fffffff, 0xffffffff].map((value) => ({
      name: `LERC ${name} is ${value}`,
      content: changed(bytes, (data) => data.setUint32(begin + 6 + 4 * i, value, true)),
      maybe: true,
    })),
  );
  const bomb = (name: string, block: Uint8Array): HostileCase => ({
    name: `${name} bomb of ${block.length} bytes as LERC`,
    content: withBlock(variant(`lerc_${name}_float32`), block),
  });
  return [
    ...lies,
    bomb('deflate', deflateBomb()),
    bomb('zstd', zstdBomb(2_048, 2 ** 40)),
    bomb('zstd', zstdBomb(4_096, null)),
    ...usual('lerc_float32', bytes),
  ];
}

async function jpeg(bytes: Uint8Array): Promise<HostileCase[]> {
  const frame = Buffer.from(bytes).indexOf(Buffer.from([0xff, 0xc0]));
  const lie = (name: string, at: number, ...values: number[]): HostileCase => ({
    name,
    content: changed(bytes, (_, copy) => copy.set(values, frame + at)),
  });
  const big = await sharp({ create: { width: 9_000, height: 9_000, channels: 3, background: 'grey' } })
    .jpeg({ quality: 10 })
    .toBuffer();
  return [
    { name: 'a JPEG of 81 million cells in a block', content: withBlock(bytes, big) },
    lie('rows of 65535', 5, 0xff, 0xff),
    lie('columns of 65535', 7, 0xff, 0xff),
    lie('rows of 0', 5, 0, 0),
    lie('one component', 9, 1),
    lie('four components', 9, 4),
    lie('12 bits', 4, 12),
    { name: 'no tables', content: withEntry(bytes, 347, { rename: 65_000 }) },
    { name: 'tables of zeros', content: withValues(bytes, 347, 7, new Uint8Array(600)) },
    { name: 'a drawing in a block', content: withBlock(bytes, Buffer.from('<svg width="9" height="9"/>')) },
    ...usual('jpeg_ycbcr', bytes),
  ];
}

function webp(bytes: Uint8Array): HostileCase[] {
  const begin = Buffer.from(bytes).indexOf('RIFF');
  const lie = (name: string, at: number, ...values: number[]): HostileCase => ({
    name,
    content: changed(bytes, (_, copy) => copy.set(values, begin + at)),
    maybe: true,
  });
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><rect width="32" height="32"/></svg>';
  return [
    lie('RIFF of 2^32 - 1 bytes', 4, 255, 255, 255, 255),
    lie('a chunk of 2^32 - 1 bytes', 16, 255, 255, 255, 255),
    lie('16384 x 16384 cells', 21, 0xff, 0xff, 0xff, 0x0f),
    lie('another kind of chunk', 12, 0x56, 0x50, 0x38, 0x58),
    { name: 'a drawing in a block', content: withBlock(bytes, Buffer.from(drawing)) },
    ...usual('webp_lossless', bytes),
  ];
}

const packBits = (bytes: Uint8Array): HostileCase[] => [
  {
    name: 'PackBits of many repeats',
    content: withBlock(
      bytes,
      Uint8Array.from({ length: 60_000 }, (_, i) => (i % 2 ? 7 : 0x81)),
    ),
    maybe: true,
  },
  { name: 'PackBits of nothing', content: withBlock(bytes, new Uint8Array(60_000).fill(128)) },
  { name: 'literals that end early', content: withBlock(bytes, Uint8Array.of(127, 1, 2)) },
  { name: 'a repeat of nothing', content: withBlock(bytes, Uint8Array.of(0x81)) },
  ...usual('packbits', bytes),
];

function masks(bytes: Uint8Array): HostileCase[] {
  const { link } = entriesOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const second = view.getUint32(link, true);
  const entry = (tag: number): number => {
    for (let i = 0; i < view.getUint16(second, true); i++)
      if (view.getUint16(second + 2 + 12 * i, true) === tag) return second + 2 + 12 * i;
    throw new Error(`the mask has no tag ${tag}`);
  };
  const give = (name: string, tag: number, value: number, maybe = false): HostileCase => ({
    name: `mask with ${name} ${value}`,
    maybe,
    content: changed(bytes, (data) => {
      data.setUint16(entry(tag) + 2, 4, true);
      data.setUint32(entry(tag) + 8, value, true);
    }),
  });
  return [
    ...[0, 1, 2 ** 31].flatMap((v) => [
      give('width', TAG.width, v, true),
      give('height', TAG.height, v, true),
    ]),
    give('compression', TAG.compression, 6, true),
    give('bits', TAG.bits, 7, true),
    {
      name: 'mask after itself',
      maybe: true,
      content: changed(bytes, (d) => d.setUint32(second + 2 + 12 * d.getUint16(second, true), second, true)),
    },
    ...usual('mask_bits', bytes),
  ];
}

export async function codecClasses(): Promise<HostileClass[]> {
  const of = (name: string, bytes: Uint8Array, cases: HostileCase[]): HostileClass => ({
    ...{ name: `GeoTIFF, ${name}`, ending: '.tif', cases },
    healthy: () => bytes,
  });
  const files = ['lerc_float32', 'jpeg_ycbcr', 'webp_lossless', 'packbits', 'mask_bits'].map(variant);
  return [
    of('LERC', files[0], lerc(files[0])),
    of('JPEG', files[1], await jpeg(files[1])),
    of('WebP', files[2], webp(files[2])),
    of('PackBits', files[3], packBits(files[3])),
    of('mask page', files[4], masks(files[4])),
  ];
}
