/** CSV text and files that appear as a whole or not at all. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One line a row; null is empty; text with commas, quotes or line ends is quoted. */
export function csvText<Row extends object>(
  columns: readonly (keyof Row & string)[],
  rows: readonly Row[],
  format: Partial<Record<string, (value: unknown) => string>> = {},
): string {
  const cell = (row: Row, name: keyof Row & string) => {
    const value = row[name];
    if (value === null || value === undefined) return '';
    const text = format[name]?.(value) ?? String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => columns.map((name) => cell(row, name)).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
