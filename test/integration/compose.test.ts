import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './program.js';

const compose = spawnSync('docker-compose', ['config'], { cwd: ROOT, encoding: 'utf8' });
const hasCompose = compose.error === undefined;
const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'));

describe('docker-compose.yml', () => {
  it.skipIf(!hasCompose)('is accepted by docker-compose (skipped where it is not installed)', () => {
    expect(compose.stderr).not.toContain('ERROR');
    expect(compose.status).toBe(0);
  });

  it('starts a queue that never evicts, a worker, a scheduler and a board with commands that exist', async () => {
    expect(Object.keys(services)).toEqual(['redis', 'worker', 'scheduler', 'board']);
    expect(services.redis.command).toContain('noeviction');
    for (const name of ['worker', 'scheduler', 'board']) await expectFlags(services[name].command);
    for (const { ports = [] } of Object.values(services) as { ports?: string[] }[])
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('looks after each service that stays, and gives workers the time they need to end', () => {
    for (const name of ['redis', 'worker', 'board']) expect(services[name].healthcheck.test[0]).toBe('CMD');
    const [, port] = /--metrics-port (\d+)/.exec(services.worker.command) ?? [];
    expect(services.worker.healthcheck.test.join(' ')).toContain(`:${port}/readyz`);
    expect(Number.parseInt(services.worker.stop_grace_period, 10)).toBeGreaterThan(10);
    expect(services.board.command).toContain('--host 0.0.0.0');
    expect(services.board.environment).toHaveProperty('STORMREEL_BOARD_PASSWORD');
  });

  it('uses the commands of the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(readme).toContain(services.redis.command);
    const [verb, flag] = services.worker.command.split(' ');
    expect(readme).toContain(`stormreel ${verb} ${flag} redis://`);
  });
});

/** Every flag of a command line is one that its help names. */
async function expectFlags(command: string): Promise<void> {
  const [verb, ...words] = command.split(' ');
  const { command: make } = await import(`../../cli/${verb}.ts`);
  const help = make().helpInformation();
  for (const flag of words.filter((word) => word.startsWith('--'))) expect(help).toContain(` ${flag} `);
}

describe('the Dockerfile', () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names]) => names.split(' '));

  it('has nothing that a checker of Dockerfiles objects to', () => {
    expect(validate(text)).toEqual([]);
    expect(validate('FROM a\nMAINTAINER me\n')).not.toEqual([]); // it looks
  });

  it('copies all that the build reads, and nothing that is not there', () => {
    const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8'));
    expect(copied).toEqual(expect.arrayContaining([...include, 'scripts', 'bin']));
    for (const name of copied) if (!existsSync(join(ROOT, name))) expect.fail(`${name} is copied, not there`);
  });

  it('gets no more from .dockerignore than what it copies', () => {
    const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const rules = lines.filter((line) => line && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.slice(1).sort()).toEqual([...new Set(copied)].map((name) => `!${name}`).sort());
  });

  it('starts the program that package.json names, not as root', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(text).toContain(`"/opt/stormreel/${bin.stormreel}"`);
    expect(text).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });
});

describe('the systemd unit of docs/deploy.md', () => {
  const page = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
  const [, unit = ''] = /```ini\n([\s\S]*?)```/.exec(page) ?? [];
  const entries = [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]);
  const one = (key: string) => entries.find(([name]) => name === key)?.[1] ?? '';

  it('consists of sections, entries and comments, and starts a command that exists', async () => {
    const lines = unit.split('\n').filter((line) => line && !/^(\[\w+\]|\w+=.+|# .*)$/.test(line));
    expect(lines).toEqual([]);
    expect(unit.match(/^\[\w+\]$/gm)).toEqual(['[Unit]', '[Service]', '[Install]']);
    const [program, command] = one('ExecStart').split('stormreel.js ');
    expect(program).toMatch(/^\/usr\/bin\/node \/opt\/stormreel\/bin\/$/);
    await expectFlags(command);
  });

  it('ends a worker as it wants to be ended, restarts it, and keeps the password out of the environment', () => {
    expect(one('KillMode')).toBe('mixed');
    expect(Number(one('TimeoutStopSec'))).toBeGreaterThan(10);
    expect(one('Restart')).toBe('always');
    expect(one('Environment')).toBe('STORMREEL_QUEUE_PASSWORD_FILE=%d/queue-password');
    expect(one('LoadCredential')).toMatch(/^queue-password:/);
  });

  it('stands beside variables and metrics that the program knows', () => {
    const code = ['cli/queueOption.ts', 'cli/board.ts', 'workers/metrics.ts']
      .map((name) => readFileSync(join(ROOT, name), 'utf8'))
      .join('');
    const named = [...page.matchAll(/`(stormreel_\w+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(4);
    for (const name of named) expect(code).toContain(`'${name}'`);
    for (const [name] of page.matchAll(/STORMREEL_(QUEUE_(USER|PASSWORD(_FILE)?)|BOARD_PASSWORD)\b/g))
      expect(code).toContain(name);
  });
});
