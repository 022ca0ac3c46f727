/** A file that lies on another machine, read by range; every answer must be of the same file as the first. */
import { ConfigError, SourceChangedError } from '../errors.js';
import { isStrong, openHttp, readHttp } from './http/open.js';
import type { HttpLimits } from './limits.js';
import { RemoteFault, type RetryOptions } from './retry.js';
import { isS3, parseS3 } from './s3/address.js';
import { openObject, readObject } from './s3/objects.js';

export interface RemoteIdentity {
  /** Bytes. */
  size: number;
  /** As the server gives it; null where it gives none. */
  etag: string | null;
  /** ms UTC; 0 where the server does not say. */
  mtimeMs: number;
}

export interface FirstBytes extends RemoteIdentity {
  bytes: Buffer;
}

export interface RemoteFile extends RemoteIdentity {
  readonly address: string;
  /** `length` bytes from `offset`, all inside the file. SourceChangedError when it is another one now. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface RemoteOptions extends RetryOptions {
  /** Bytes that the first request asks for. Default 64 KiB. */
  first?: number;
  /** Most bytes of a file whose server knows no ranges. Default 64 MiB. */
  most?: number;
  limits?: HttpLimits;
}

export const isRemote = (address: string): boolean => /^(https?|s3):\/\//i.test(address);

/** ENOENT: not there. ConfigError: no such server or bucket, no access. RemoteFault: what may pass, after some attempts. */
export async function openRemote(
  address: string,
  { first = 65_536, most = 64 * 2 ** 20, ...options }: RemoteOptions = {},
): Promise<RemoteFile> {
  const s3 = isS3(address);
  if (!s3) refuseUrl(address);
  const begin = s3
    ? await openObject(parseS3(address), { ...options, first })
    : await openHttp(address, { ...options, first, most });
  const { bytes: head, size, etag, mtimeMs } = begin;
  if (Number.isNaN(size))
    throw new ConfigError(`cannot read ${address}: its server does not say how long it is`, {
      hint: 'download the file and give its folder',
      fields: { path: address },
    });
  return {
    address,
    size,
    etag,
    mtimeMs,
    async read(offset, length) {
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      const range = { offset, length };
      if (s3) return readObject(parseS3(address), { ...options, range, etag: etag ?? undefined });
      const found = await readHttp(address, range, { ...options, most, etag });
      if (found && sameFile(found, begin)) {
        if (found.bytes.length === length) return found.bytes;
        throw new RemoteFault(`${address}: ${found.bytes.length} bytes came of ${length}`);
      }
      throw new SourceChangedError(`${address} has changed while it was read`, {
        hint: 'run the same stormreel ingest again: it plans the new file',
        fields: { path: address },
      });
    },
  };
}

/** Size and ETag, or time where there is none. */
export const sameFile = (a: RemoteIdentity, b: RemoteIdentity): boolean =>
  a.size === b.size && (a.etag !== null && b.etag !== null ? a.etag === b.etag : a.mtimeMs === b.mtimeMs);

/** What stands for the sha256 of a file that is not read whole; null where the server gives no ETag that can. */
export const etagHash = ({ etag, size }: RemoteIdentity): string | null =>
  etag !== null && isStrong(etag) ? `etag:${etag}:${size}` : null;

/** Addresses are stored in the plan, so they may hold no secret. */
function refuseUrl(address: string): void {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url && !url.username && !url.password && !url.search) return;
  const shown = url ? `${url.protocol}//${url.host}${url.pathname}` : 'this address';
  throw new ConfigError(
    `cannot read ${shown}: it ${url ? 'holds a name, a password or a query' : 'is no address'}`,
    {
      hint: 'addresses are kept in the plan: give one without secrets, or download the files',
      fields: { path: shown },
    },
  );
}
