/**
 * record.jsonl: lines that are only ever added, each synced before anybody counts on it. A line that a kill tore off is
 * cut away when the file is opened.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CorruptShardError } from '../../pipeline/errors.js';
import { LiveLine } from '../../schemas/records/index.js';

export interface Journal {
  /** All of them or, when the disk refuses, none. */
  append(lines: readonly LiveLine[]): Promise<void>;
  close(): Promise<void>;
}

/** Tells `onLine` what the file holds, then takes more. CorruptShardError: a line before the last cannot be read. */
export async function openJournal(path: string, onLine: (line: LiveLine) => void): Promise<Journal> {
  const file = await open(path, 'a');
  try {
    let length = await readLines(path, onLine);
    await file.truncate(length);
    return {
      append: async (lines) => {
        if (lines.length === 0) return;
        const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        await writeAll(file, bytes).catch(async (error) => {
          await file.truncate(length);
          throw error;
        });
        length += bytes.length;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  await file.appendFile(bytes);
  await file.datasync();
}

/** Reads without changing anything, also while a watch writes. Returns the bytes of whole lines. */
export async function readLines(path: string, onLine: (line: LiveLine) => void): Promise<number> {
  let rest = Buffer.alloc(0);
  let [length, number] = [0, 0];
  let broken: { line: number; cause: unknown } | null = null;
  for await (const part of createReadStream(path)) {
    let bytes = Buffer.concat([rest, part as Buffer]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      if (broken) throw damaged(path, broken);
      number++;
      try {
        onLine(LiveLine.parse(JSON.parse(bytes.toString('utf8', 0, end))));
        length += end + 1;
      } catch (cause) {
        broken = { line: number, cause };
      }
      bytes = bytes.subarray(end + 1);
    }
    rest = Buffer.from(bytes);
  }
  return length;
}

const damaged = (path: string, { line, cause }: { line: number; cause: unknown }): CorruptShardError =>
  new CorruptShardError(`${path} line ${line} is no line of a live record`, {
    hint: 'restore the file from a copy, or begin a new record with --live FOLDER',
    cause,
    fields: { path, line },
  });
