/** From a run folder to a file. */
import { resolve } from 'node:path';
import { writeWhole } from '../labelling/index.js';
import type { Missing } from './data.js';
import { loadReport, type ReportWords } from './load.js';
import { buildPage } from './page.js';

export interface WrittenReport {
  path: string;
  bytes: number;
  /** What the page could not show, with its cure. */
  missing: readonly Missing[];
}

/** Writes the page as a whole or not at all. @throws ConfigError for a folder that is no run. */
export async function writeReport(runDir: string, out: string, words?: ReportWords): Promise<WrittenReport> {
  const data = await loadReport(runDir, words);
  try {
    const page = Buffer.from(await buildPage(data));
    const path = resolve(out);
    await writeWhole(path, page);
    return { path, bytes: page.length, missing: data.missing };
  } finally {
    await data.store?.close();
  }
}
