/** From a run folder to a file. */
import { rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Missing } from './data.js';
import { loadReport } from './load.js';
import { buildPage } from './page.js';

export interface WrittenReport {
  path: string;
  bytes: number;
  /** What the page could not show, with its cure. */
  missing: readonly Missing[];
}

/** Writes the page as a whole or not at all. @throws ConfigError for a folder that is no run. */
export async function writeReport(runDir: string, out: string): Promise<WrittenReport> {
  const data = await loadReport(runDir);
  try {
    const page = Buffer.from(await buildPage(data));
    const path = resolve(out);
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, page);
    await rename(temporary, path);
    return { path, bytes: page.length, missing: data.missing };
  } finally {
    await data.store?.close();
  }
}
