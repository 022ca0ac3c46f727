import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command as backend } from '../../cli/backend.js';
import { loadConfig } from '../../cli/config.js';
import { command as ingest } from '../../cli/ingest.js';
import { command as simulate } from '../../cli/simulate.js';
import { call } from '../integration/inProcess.js';
import { buildWhenStale, ROOT, run } from '../integration/program.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-cli-'));
const at = (name: string) => join(folder, name);
beforeAll(buildWhenStale);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a command line that cannot be read', () => {
  it.each([
    ['evaluate a b --nonsense', /unknown option/, 'stormreel evaluate --help'],
    ['nonsense', /unknown command/, 'stormreel --help'],
    ['train dataset', /required option/, 'stormreel train --help'],
    ['dataset', /no command is given/, 'stormreel dataset --help'],
    ['label d --model m --out p.csv --backend abacus', /abacus/, 'stormreel label --help'],
  ])('is one JSON document with a hint and exit code 2: %s', async (line, message, hint) => {
    const { code, stdout } = await run([...line.split(' '), '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      tag: 'ConfigError',
      message: expect.stringMatching(message),
      hint,
    });
  });

  it('is text with a hint on stderr without --json', async () => {
    const { code, stdout, stderr } = await run(['train', '--nonsense']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ConfigError: .+\n {2}hint: stormreel train --help\n$/);
  });
});

describe('flags that make no sense', () => {
  it('are refused before anything is done', async () => {
    const maps = at('none');
    for (const flags of [
      ['--workers', '0'],
      ['--step', '0h'],
      ['--label-tolerance=-3h', '--labels', 'l.csv'],
    ]) {
      const { code, json } = await call(ingest, [maps, '--out', at('dataset'), ...flags]);
      expect([code, json.error.tag]).toEqual([2, 'ConfigError']);
      expect(json.error.message).not.toContain(maps);
    }
    for (const count of ['-1', 'many'])
      expect((await call(backend, ['check', '--threads', count])).json.error.tag).toBe('ConfigError');
  });
});

describe('a place that cannot be written to', () => {
  it('is the mistake of whoever named it', async () => {
    writeFileSync(at('file'), '');
    const { code, json } = await call(simulate, ['--out', at('file/maps'), '--frames', '1', '--size', '16']);
    expect(code).toBe(2);
    expect(json.error).toMatchObject({ tag: 'ConfigError', fields: { code: 'ENOTDIR' } });
  });
});

describe('a config', () => {
  const base = {
    dataset: 'dataset',
    run: 'run',
    ingest: { sources: ['maps'] },
    labels: {},
    split: { by: 'blocks', blocks: 3, fold: 0 },
  };
  it.each([
    [{ training: { steps: 3, epochs: 2 } }, /training\.epochs/],
    [{ labelling: { high: 0.2, low: 0.9 } }, /labelling\.low/],
    [{ ingest: { sources: ['maps'], step: '0h' } }, /ingest\.step/],
    [{ split: { ...base.split, embargo: '-1d' } }, /split\.embargo/],
    [{ run: './dataset' }, /same folder/],
  ])('that contradicts itself is refused: %j', async (change, message) => {
    const file = at('stormreel.yaml');
    writeFileSync(file, JSON.stringify({ ...base, ...change }));
    await expect(loadConfig(file)).rejects.toMatchObject({
      tag: 'ConfigError',
      message: expect.stringMatching(message),
    });
  });
});

describe('a command that another process started', () => {
  it('ends when that process is gone', async () => {
    const args = [join(ROOT, 'bin/stormreel.js'), 'simulate', '--out', at('long'), '--frames', '99999'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    await new Promise((done) => child.stderr?.once('data', done)); // it is at work
    child.disconnect(); // as when this process were killed
    expect(await ended).toBe(1);
  });
});

it('a reader that closes the pipe early ends the command without a stack', async () => {
  const child = spawn(process.execPath, [join(ROOT, 'bin/stormreel.js'), '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (part) => (said += part));
  const code = await new Promise((done) => child.once('close', done));
  expect([code, said]).toEqual([0, '']);
});
