/**
 * One member of a zip archive, as Keras writes `.keras` files: found by the central directory at the end, copied out to a
 * file. Archives over 4 GiB and encrypted ones are refused.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record and the longest comment behind it. */
const END_BYTES = 22 + 0xffff;
const MOST_DIRECTORY_BYTES = 2 ** 22;
const STORED = 0;
const DEFLATED = 8;

interface Member {
  method: number;
  packed: number;
  size: number;
  offset: number;
}

/** Copies member `name` of the archive at `path` to the file `to`; throws an Error that says what is wrong. */
export async function extractMember(path: string, name: string, to: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const member = await findMember(file, name);
    if (member.method !== STORED && member.method !== DEFLATED)
      throw new Error(`${name} is packed by method ${member.method}`);
    const from = await dataStart(file, member);
    const source = createReadStream('', {
      fd: file.fd,
      autoClose: false,
      start: from,
      end: from + member.packed - 1,
    });
    const unpack = member.method === DEFLATED ? [createInflateRaw()] : [];
    await pipeline([source, ...unpack, exactly(member.size, name), createWriteStream(to)]);
  } finally {
    await file.close();
  }
}

async function findMember(file: FileHandle, name: string): Promise<Member> {
  const directory = await centralDirectory(file);
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY; ) {
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((o) => directory.readUInt16LE(at + o));
    const own = directory.toString('utf8', at + 46, at + 46 + nameBytes);
    if (own === name) {
      if (directory.readUInt16LE(at + 8) & 1) throw new Error(`${name} is encrypted`);
      const [packed, size, offset] = [20, 24, 42].map((o) => directory.readUInt32LE(at + o));
      if ([packed, size, offset].includes(0xffffffff)) throw new Error(`${name} lies beyond 4 GiB`);
      return { method: directory.readUInt16LE(at + 10), packed, size, offset };
    }
    at += 46 + nameBytes + extraBytes + noteBytes;
  }
  throw new Error(`there is no ${name} in it`);
}

async function centralDirectory(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const tail = await bytes(file, Math.max(0, size - END_BYTES), Math.min(size, END_BYTES));
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== END) at--;
  if (at < 0) throw new Error('the end of the archive is missing');
  const [length, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  if (length > MOST_DIRECTORY_BYTES || offset + length > size)
    throw new Error('its table of contents lies outside of it');
  return bytes(file, offset, length);
}

/** Behind the local header, whose extra field may differ from that of the directory. */
async function dataStart(file: FileHandle, { offset, packed }: Member): Promise<number> {
  const header = await bytes(file, offset, 30);
  if (header.readUInt32LE(0) !== LOCAL) throw new Error('its table of contents points beside its members');
  const start = offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const { size } = await file.stat();
  if (packed === 0 || start + packed > size) throw new Error('it is cut short');
  return start;
}

async function bytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('it is cut short');
  return buffer;
}

/** Passes `size` bytes on; more (a bomb) or fewer is an error. */
function exactly(size: number, name: string): Transform {
  let left = size;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      left -= chunk.length;
      if (left < 0) done(new Error(`${name} holds more than the ${size} bytes it should`));
      else done(null, chunk);
    },
    flush(done) {
      done(left > 0 ? new Error(`${name} holds ${left} bytes less than it should`) : null);
    },
  });
}
