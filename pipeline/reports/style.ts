/** The page's styles: the files of assets/style joined into one, so that the page fetches nothing. */
import { readFileSync } from 'node:fs';

/** Later ones overrule earlier ones. */
const SHEETS = ['page', 'player', 'figures', 'tables'];

export const pageStyle = (): string =>
  SHEETS.map((name) => readFileSync(new URL(`./assets/style/${name}.css`, import.meta.url), 'utf8')).join(
    '\n',
  );
