/** The page's script: the modules of assets/player joined into one, so that the page fetches nothing. */
import { readFileSync } from 'node:fs';

/** In order of use; names are unique across files. */
export const MODULES = [
  'decode',
  'contour',
  'field',
  'draw',
  'world',
  'frame',
  'words',
  'links',
  'tileTime',
  'views',
  'main',
];

export function playerScript(): string {
  const parts = MODULES.map((name) =>
    readFileSync(new URL(`./assets/player/${name}.js`, import.meta.url), 'utf8'),
  );
  return parts.map(joined).join('');
}

/** Without what only separate modules need. */
const joined = (module: string): string =>
  module.replaceAll(/^import [^;]*;\n/gm, '').replaceAll(/^export (?=const|function|async)/gm, '');
