#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  console.error(
    'stormreel is not built yet.\n  hint: npm run setup   (in this folder), then run the command again',
  );
  process.exit(2);
}
await import(main.href);
