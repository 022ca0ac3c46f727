/**
 * Reader and writer of the safetensors format: 8 bytes little-endian header length, a JSON header with dtype, shape
 * and byte range of each tensor, then the values. Float32 only. Files are replaced as a whole or not at all.
 */
import { open, readFile, rename } from 'node:fs/promises';
import * as z from 'zod';
import { ModelMismatchError } from '../errors.js';
import type { StoredTensor } from '../tensor/index.js';

export interface Stored {
  tensors: Map<string, StoredTensor>;
  /** Free text fields, the format's `__metadata__`. */
  metadata: Record<string, string>;
}

const Entry = z.object({
  dtype: z.literal('F32'),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/** Writes `path` through a temporary file beside it, synced before it takes the name. */
export async function writeSafetensors(path: string, stored: Stored): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(encodeSafetensors(stored));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

export function encodeSafetensors({ tensors, metadata }: Stored): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8; // values start at a multiple of 8, the header ends in spaces
  const bytes = Buffer.alloc(8 + padded + offset, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  text.copy(bytes, 8);
  let at = 8 + padded;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** @throws ModelMismatchError for bytes that are not a complete safetensors file of float32. */
export async function readSafetensors(path: string): Promise<Stored> {
  return decodeSafetensors(await readFile(path), path);
}

export function decodeSafetensors(bytes: Uint8Array, path: string): Stored {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : Number.POSITIVE_INFINITY;
  if (length > bytes.length - 8)
    throw broken(path, `its header would end at byte ${length + 8} of ${bytes.length}`);
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes.subarray(8, 8 + length), path);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const parsed = Entry.safeParse(entry);
    if (!parsed.success) throw broken(path, `tensor ${name} is not float32 with a shape and a byte range`);
    const { shape, data_offsets } = parsed.data;
    const [from, to] = data_offsets.map((o) => o + 8 + length);
    const size = shape.reduce((a, b) => a * b, 1);
    if (to - from !== size * 4 || to > bytes.length)
      throw broken(path, `tensor ${name} of [${shape}] lies at bytes ${from} to ${to} of ${bytes.length}`);
    tensors.set(name, { shape, values: new Float32Array(copyOf(bytes, from, to)) });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

/** Values need not lie at a multiple of 4 in `bytes`, so they are copied. */
const copyOf = (bytes: Uint8Array, from: number, to: number): ArrayBuffer =>
  new Uint8Array(bytes.subarray(from, to)).buffer;

function parseHeader(bytes: Uint8Array, path: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    throw broken(path, 'its header is not JSON');
  }
}

function broken(path: string, found: string): ModelMismatchError {
  return new ModelMismatchError(`cannot read weights from ${path}: ${found}`, {
    hint: 'the file is damaged or of another kind; train again or copy it anew',
    fields: { path, found },
  });
}
