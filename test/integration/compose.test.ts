import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildWhenStale, ROOT, run } from './program.js';

const compose = spawnSync('docker-compose', ['config'], { cwd: ROOT, encoding: 'utf8' });
const hasCompose = compose.error === undefined;
const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'));

describe('docker-compose.yml', () => {
  it.skipIf(!hasCompose)('is accepted by docker-compose (skipped where it is not installed)', () => {
    expect(compose.stderr).not.toContain('ERROR');
    expect(compose.status).toBe(0);
  });

  it('starts a queue that never evicts, a worker and a board with commands that exist', async () => {
    buildWhenStale();
    expect(Object.keys(services)).toEqual(['redis', 'worker', 'board']);
    expect(services.redis.command).toContain('noeviction');
    for (const name of ['worker', 'board']) {
      const [verb, ...flags] = services[name].command.split(' ');
      const { stdout } = await run([verb, '--help']);
      for (const flag of flags.filter((f: string) => f.startsWith('--'))) expect(stdout).toContain(flag);
    }
    for (const { ports = [] } of Object.values(services) as { ports?: string[] }[])
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('uses the commands of the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(readme).toContain(services.redis.command);
    const [verb, flag] = services.worker.command.split(' ');
    expect(readme).toContain(`stormreel ${verb} ${flag} redis://`);
  });
});

describe('the Dockerfile', () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const copied = [...text.matchAll(/^COPY (?!--from)(.*)$/gm)].flatMap(([, names]) => names.split(' '));

  it('copies all that the build reads, and nothing that is not there', () => {
    const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8'));
    expect(copied).toEqual(expect.arrayContaining([...include, 'scripts', 'bin']));
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    for (const name of copied.filter((n) => n !== './' && !existsSync(join(ROOT, n))))
      expect.fail(`${name} is copied and not there`);
    expect(copied.filter((name) => ignored.includes(name))).toEqual([]);
  });

  it('starts the program that package.json names', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(text).toContain(`"/opt/stormreel/${bin.stormreel}"`);
  });
});
