/** The README's own commands for own data, run on a simulated season; training takes fewer steps, for time. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSeason } from '../../pipeline/simulation/index.js';
import { buildWhenStale, ROOT, run } from './program.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'stormreel-readme-'));

/** Commands of the indented block under a heading, comments off. */
function commands(heading: string): string[] {
  const [, section] = readme.split(`## ${heading}`);
  const [text] = section.split('\n## ');
  return [...text.matchAll(/^ {4}npx (stormreel .*?)(?: {2,}#.*)?$/gm)].map(([, command]) => command);
}

beforeAll(async () => {
  buildWhenStale();
  const maps = join(folder, 'maps');
  await writeSeason(maps, { frames: 364, step: '6h', size: 16, storms: 8, seed: 4 });
  renameSync(join(maps, 'labels.csv'), join(folder, 'labels.csv'));
  rmSync(join(maps, 'tracks.csv'));
  for (const name of readdirSync(maps)) {
    const [, day, time] = /^sim_(\d{8})T(\d{4})Z\.tif$/.exec(name)!;
    renameSync(join(maps, name), join(maps, `msg_${day}_${time}Z.tif`));
  }
  mkdirSync(join(folder, 'bin'));
  execFileSync('ln', ['-s', join(ROOT, 'bin/stormreel.js'), join(folder, 'bin/stormreel')]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (command: string) =>
  execFileSync('sh', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
  });

describe('the README', () => {
  it('takes own maps from ingest to a report in five commands, then evaluates and verifies', () => {
    const own = commands('Your own data in five commands');
    expect(own).toHaveLength(9);
    const [five, more] = [own.slice(0, 5), own.slice(5)];
    for (const command of five) shell(command.replace('stormreel train', 'stormreel train --steps 40'));
    for (const name of ['predictions.parquet', 'events.csv', 'metrics.json', 'scores.parquet', 'report.html'])
      expect(existsSync(join(folder, 'run', name)), name).toBe(true);
    const [label, straight, evaluate, verify] = more;
    shell(label.replace('label newer', 'label dataset'));
    expect(existsSync(join(folder, 'newer.csv'))).toBe(true);
    shell(straight);
    expect(existsSync(join(folder, 'maps.csv'))).toBe(true);
    expect(shell(evaluate)).toMatch(/AUROC +0\.\d+/);
    expect(shell(verify)).toMatch(/\d+ frames/);
  }, 300_000);

  it('names commands and flags that exist', async () => {
    const all = [...readme.matchAll(/(?:npx |`)stormreel ([a-z]+)((?: [^`#\n]*)?)/g)].map(
      ([, verb, rest]) => ({
        verb,
        rest,
      }),
    );
    const verbs = new Map<string, Set<string>>();
    for (const { verb, rest } of all) {
      const flags = verbs.get(verb) ?? new Set();
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) flags.add(flag);
      verbs.set(verb, flags);
    }
    const { stdout: overview } = await run(['--help']);
    for (const [verb, flags] of verbs) {
      expect(overview, verb).toMatch(new RegExp(`^ +${verb} `, 'm'));
      const args =
        verb === 'backend' ? ['backend', 'install'] : verb === 'anomaly' ? ['anomaly', 'fit'] : [verb];
      const { stdout } = await run([...args, '--help']);
      for (const flag of flags) expect(stdout, `${verb} ${flag}`).toContain(flag);
    }
  }, 60_000);

  it('shows pictures that are there and names pages that are there', () => {
    for (const [, path] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g))
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    for (const [, path] of readme.matchAll(/`((?:docs|examples)\/[\w./-]+)`/g))
      expect(existsSync(join(ROOT, path)), path).toBe(true);
  });
});
