/** Writes schemas/json/stormreel.schema.json from the built config schema, for editors. `--check` only compares. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { RunConfig } from '../dist/schemas/config/index.js';

const path = new URL('../schemas/json/stormreel.schema.json', import.meta.url);
const text = `${JSON.stringify({ title: 'stormreel.yaml', ...z.toJSONSchema(RunConfig, { io: 'input' }) }, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    console.error('schemas/json/stormreel.schema.json is not what the config schema says: npm run schemas');
    process.exit(1);
  }
} else {
  mkdirSync(new URL('.', path), { recursive: true });
  writeFileSync(path, text);
}
