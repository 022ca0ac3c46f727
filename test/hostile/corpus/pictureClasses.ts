/** PNG and JPEG: chunks and segments that lie, are cut, or unpack to too much. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';

const WIDTH = 64;
const HEIGHT = 48;
const grey = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i * 7) % 251);

function chunk(type: string, data: Uint8Array, { length = data.length, crc = 0 } = {}): Uint8Array {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(length >>> 0, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE((crc32(out.subarray(4, 8 + data.length)) ^ crc) >>> 0, 8 + data.length);
  return out;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function head({
  width = WIDTH,
  height = HEIGHT,
  depth = 8,
  colour = 0,
  method = 0,
  interlace = 0,
} = {}): Uint8Array {
  const out = Buffer.alloc(13);
  out.writeUInt32BE(width >>> 0, 0);
  out.writeUInt32BE(height >>> 0, 4);
  out.set([depth, colour, method, 0, interlace], 8);
  return chunk('IHDR', out);
}

const rows = (bytes: Uint8Array, filter = 0): Uint8Array => {
  const out = Buffer.alloc(HEIGHT * (WIDTH + 1), filter);
  for (let y = 0; y < HEIGHT; y++) out.set(bytes.subarray(y * WIDTH, (y + 1) * WIDTH), y * (WIDTH + 1) + 1);
  return out;
};
const data = deflateSync(rows(grey));
const end = chunk('IEND', new Uint8Array(0));
const png = (...chunks: Uint8Array[]): Uint8Array => Buffer.concat([SIGNATURE, ...chunks]);

function pngCases(whole: Uint8Array): HostileCase[] {
  const body = chunk('IDAT', data);
  const zeros = deflateSync(new Uint8Array(64 << 20), { level: 9 });
  const profile = Buffer.concat([Buffer.from('bomb\0\0'), zeros]);
  const lies = { 2147483647: 2 ** 31 - 1, 65536: 65_536, 0: 0 };
  const sizes = Object.values(lies).flatMap((width) => [
    { name: `width ${width}`, content: png(head({ width }), body, end) },
    { name: `height ${width}`, content: png(head({ height: width }), body, end) },
  ]);
  const refused = {
    'width and height 2^31 - 1': png(head({ width: 2 ** 31 - 1, height: 2 ** 31 - 1 }), body, end),
    'depth 3': png(head({ depth: 3 }), body, end),
    'depth 16': png(head({ depth: 16 }), body, end),
    'colour 7': png(head({ colour: 7 }), body, end),
    'palette without a palette': png(head({ colour: 3 }), body, end),
    'colour without data for it': png(head({ colour: 6 }), body, end),
    'method 9': png(head({ method: 9 }), body, end),
    'interlace 5': png(head({ interlace: 5 }), body, end),
    'interlaced in name only': png(head({ interlace: 1 }), body, end),
    'no header': png(body, end),
    'no data': png(head(), end),
    'data first': png(body, head(), end),
    'a chunk of 4 GiB': png(head(), chunk('IDAT', data, { length: 2 ** 32 - 1 }), end),
    'a chunk of 2 GiB': png(head(), chunk('IDAT', data, { length: 2 ** 31 - 1 }), end),
    'a wrong checksum': png(head(), chunk('IDAT', data, { crc: 1 }), end),
    'filter 9': png(head(), chunk('IDAT', deflateSync(rows(grey, 9))), end),
    'data that are not packed': png(head(), chunk('IDAT', rows(grey)), end),
    'half the rows': png(head(), chunk('IDAT', deflateSync(rows(grey).subarray(0, 1_000))), end),
  };
  const maybe = {
    'data that go on for 64 MiB': png(head(), chunk('IDAT', zeros), end),
    'a profile of 64 MiB': png(head(), chunk('iCCP', profile), body, end),
    'a text of 64 MiB': png(head(), chunk('zTXt', profile), body, end),
    'two headers': png(head(), head({ width: 8 }), body, end),
    '5000 empty chunks': png(head(), ...Array(5_000).fill(chunk('tEXt', Buffer.from('a\0b'))), body, end),
    'no end': png(head(), body),
  };
  return [
    ...sizes,
    ...Object.entries(refused).map(([name, content]) => ({ name, content })),
    ...Object.entries(maybe).map(([name, content]) => ({ name, content, maybe: true })),
    ...truncations('PNG', whole, [...spread(whole.length - 20, 12), 8, 12, 16, 33]),
    ...flips('PNG', whole, { count: 15 }),
  ];
}

/** Positions of the segments of a JPEG up to its data. */
function segments(bytes: Uint8Array): { marker: number; at: number; length: number }[] {
  const found = [];
  for (let at = 2; at < bytes.length && bytes[at] === 0xff; ) {
    const length = bytes[at + 2] * 256 + bytes[at + 3];
    found.push({ marker: bytes[at + 1], at, length });
    if (bytes[at + 1] === 0xda) break;
    at += 2 + length;
  }
  return found;
}

function jpegCases(whole: Uint8Array, progressive: Uint8Array): HostileCase[] {
  const parts = segments(whole);
  const frame = parts.find(({ marker }) => marker === 0xc0)!;
  const sized = (width: number, height: number) => {
    const copy = Buffer.from(whole);
    copy.writeUInt16BE(height, frame.at + 5);
    copy.writeUInt16BE(width, frame.at + 7);
    return copy;
  };
  const without = (marker: number) =>
    Buffer.concat([
      whole.subarray(0, 2),
      ...parts
        .filter((p) => p.marker !== marker && p.marker !== 0xda)
        .map(({ at, length }) => whole.subarray(at, at + 2 + length)),
      whole.subarray(parts.at(-1)!.at),
    ]);
  // The last scan of a progressive picture again and again: each is a pass over all of it.
  const scan = progressive.lastIndexOf(0xda) - 1;
  const again = progressive.subarray(scan, progressive.length - 2);
  const scans = Buffer.concat([
    progressive.subarray(0, scan),
    ...Array<Uint8Array>(3_000).fill(again),
    progressive.subarray(progressive.length - 2),
  ]);
  return [
    { name: 'size 0 x 0', content: sized(0, 0) },
    { name: 'size 65535 x 65535', content: sized(65_535, 65_535) },
    { name: 'size 65500 x 16', content: sized(65_500, 16) },
    { name: 'size 64 x 4000', content: sized(64, 4_000) },
    { name: 'no quantisation', content: without(0xdb) },
    { name: 'no Huffman tables', content: without(0xc4), maybe: true },
    { name: 'no frame', content: without(0xc0) },
    { name: '3000 scans', content: scans, maybe: true },
    ...parts.map(({ marker, at }) => {
      const copy = Buffer.from(whole);
      copy.writeUInt16BE(65_535, at + 2);
      return { name: `segment ${marker.toString(16)} of 65535 bytes`, content: copy, maybe: true };
    }),
    ...truncations('JPEG', whole, [...parts.map(({ at }) => at + 1), ...spread(whole.length - 60, 10)]),
    ...flips('JPEG', whole, { count: 20 }),
  ];
}

/** What the library behind would read, whatever the name says. */
const disguised: HostileCase[] = [
  {
    name: 'a drawing',
    content: `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"/>`,
  },
  {
    name: 'a GIF',
    content: Buffer.from('47494638396101000100800000000000ffffff2c00000000010001000002024401003b', 'hex'),
  },
];

export async function pictureClasses(): Promise<HostileClass[]> {
  const whole = png(head(), chunk('IDAT', data), end);
  const raw = sharp(grey, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
  const jpeg = await raw.clone().jpeg({ quality: 80 }).toBuffer();
  const progressive = await raw.clone().jpeg({ progressive: true }).toBuffer();
  return [
    { name: 'PNG', ending: '.png', healthy: () => whole, cases: [...pngCases(whole), ...disguised] },
    { name: 'JPEG', ending: '.jpg', healthy: () => jpeg, cases: jpegCases(jpeg, progressive) },
  ];
}
