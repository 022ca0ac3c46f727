/** Copies what tsc leaves behind (styles, scripts, fonts, data) from the source folders into dist. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ASSETS = new Set(['.css', '.js', '.cjs', '.json', '.html', '.svg', '.ttf', '.otf', '.woff2']);

let copied = 0;
for (const folder of ['schemas', 'pipeline', 'workers', 'cli']) {
  if (!existsSync(join(root, folder))) continue;
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !ASSETS.has(extname(entry.name))) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, join(root, 'dist', from.slice(root.length + 1)));
    copied++;
  }
}
console.error(`copied ${copied} assets into dist`);
