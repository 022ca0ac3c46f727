import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../cli/config.js';
// @ts-expect-error: a script without types
import { ORDER } from '../../scripts/check-imports.mjs';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

describe('CONTRIBUTING.md', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const text = read('CONTRIBUTING.md');

  it('names every script of package.json, and none that is not there', () => {
    const named = new Set([...text.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, name]) => name));
    expect([...named].sort()).toEqual(Object.keys(scripts).sort());
  });

  it('fits on a page', () => expect(text.split('\n').length).toBeLessThan(60));
});

describe('docs/architecture.md', () => {
  it('lists the folders in the order that the import check holds', () => {
    const [tree] = /^ {4}schemas\/[\s\S]*?(?=\n\n)/m.exec(read('docs/architecture.md')) ?? [''];
    const listed = [...tree.matchAll(/^ {4,6}(\w+)\/ /gm)].map(([, name]) => name);
    const order = (ORDER as string[])
      .filter((path) => !path.endsWith('.ts'))
      .map((path) => path.replace('pipeline/', ''));
    expect(listed.filter((name) => name !== 'pipeline')).toEqual(order);
  });
});

describe('the examples', () => {
  const examples = readdirSync(join(ROOT, 'examples')).filter((name) =>
    existsSync(join(ROOT, 'examples', name, 'stormreel.yaml')),
  );

  it.each(examples)(
    '%s has a config that fits, whose first line leads an editor to the schema',
    async (name) => {
      const path = join(ROOT, 'examples', name, 'stormreel.yaml');
      const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(path, 'utf8')) ?? [];
      const { properties } = JSON.parse(readFileSync(resolve(dirname(path), schema), 'utf8'));
      const config = await loadConfig(path);
      expect(Object.keys(config).filter((key) => !(key in properties))).toEqual([]);
    },
  );

  it('medicane has a second config, whose weights lie beside its pictures', async () => {
    const { training, model } = await loadConfig(join(ROOT, 'examples/medicane/pretrained.yaml'));
    expect(training.init).toBe(join(ROOT, 'examples/medicane/out/densenet121.safetensors'));
    expect(model.encoder).toMatchObject({ kind: 'densenet121', norm: 'fixed' });
  });

  it.each(examples)('%s has a README whose commands and pages are there', (name) => {
    const readme = read(`examples/${name}/README.md`);
    for (const [path] of readme.matchAll(/\b(?:examples|docs|scripts)\/[\w./-]+\.(?:mjs|yaml|md)\b/g))
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(readme).toContain(`stormreel run examples/${name}/stormreel.yaml`);
  });
});
