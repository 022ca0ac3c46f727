/**
 * Where the files of a dataset lie: a folder, or a prefix of a bucket. Names are relative to it, with `/` between their
 * parts. A file seen under its name is always complete; one that is not there is an error with the code ENOENT.
 */
import type { FileHandle } from 'node:fs/promises';

export interface Storage {
  /** An absolute path, or `s3://bucket/prefix`. */
  readonly address: string;
  /** What messages call a file. */
  locate(name: string): string;
  /** Makes ready for writing. ConfigError where nothing can be written. */
  prepare(): Promise<void>;
  /** The whole file. */
  read(name: string): Promise<Buffer>;
  /** The file for reading by range; of an object, a copy on this machine. */
  open(name: string): Promise<FileHandle>;
  /** Bytes of the file; null when it is not there. */
  size(name: string): Promise<number | null>;
  /**
   * Names in `folder` ('' is the dataset itself), relative to it, in no order; none where there is no such folder.
   * `deep`: files of all folders below as well, as `folder/file`, in place of the folders.
   */
  list(folder: string, options?: { deep?: boolean }): Promise<string[]>;
  /** Creates the file; false when it is there already, whoever made it. */
  createExclusive(name: string, bytes: Uint8Array | string): Promise<boolean>;
  /** Writes the file in one move, whether or not it is there. */
  replace(name: string, bytes: Uint8Array | string | readonly Uint8Array[]): Promise<void>;
  /** Gives the file another name; nothing where there is none. */
  move(from: string, to: string): Promise<void>;
  /** Removes the file, or the folder with all that is in it; nothing where there is none. */
  remove(name: string): Promise<void>;
  /** Removes what writers that were killed left behind. */
  sweep(): Promise<void>;
  /** Throws away the copy that `open` made; false where it makes none, so that opening again would change nothing. */
  forget(name: string): Promise<boolean>;
}

/** True for the error of a file that is not there. */
export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException)?.code === 'ENOENT';
