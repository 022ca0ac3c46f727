import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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
});
