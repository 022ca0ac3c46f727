import { type Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { command as anomaly } from '../../cli/anomaly.js';
import { command as backend } from '../../cli/backend.js';
import { command as label } from '../../cli/label.js';
import { flowSteps, command as run } from '../../cli/run.js';
import { command as train } from '../../cli/train.js';
import { BACKEND_NAMES } from '../../pipeline/tensor/index.js';
import { RunConfig } from '../../schemas/config/index.js';

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap((c) => withSubcommands(c)),
];

describe('--backend', () => {
  const options = [anomaly, backend, label, run, train]
    .flatMap((command) => withSubcommands(command()))
    .flatMap((command) =>
      command.options.filter(({ long }) => long === '--backend').map((option) => ({ command, option })),
    );

  it('is known to every command that computes', () =>
    expect(options.map(({ command }) => command.name())).toEqual([
      ...['fit', 'score', 'check', 'label', 'run', 'train'],
    ]));

  it.each(options.map(({ command, option }) => [command.name(), option] as const))(
    'of %s knows the same names and STORMREEL_BACKEND',
    (_, option) => {
      expect(option).toBeInstanceOf(Option);
      expect(option.envVar).toBe('STORMREEL_BACKEND');
      expect(option.argChoices).toEqual([...BACKEND_NAMES]);
    },
  );

  it('is handed to every step of a run that computes, and another one does them again', () => {
    const config = RunConfig.parse({
      dataset: 'd',
      run: 'r',
      ingest: { sources: ['maps'] },
      labels: { file: 'labels.csv' },
      split: { by: 'blocks', blocks: 2, fold: 1 },
    });
    const [plain, wasm] = [{}, { backend: 'wasm' as const }].map((flags) =>
      flowSteps('stormreel.yaml', config, flags),
    );
    for (const { name, command } of wasm.filter(({ name }) => /train|label|anomaly/.test(name)))
      expect(command.join(' '), name).toContain('--backend wasm');
    expect(wasm.map(({ inputHash }) => inputHash)).not.toEqual(plain.map(({ inputHash }) => inputHash));
  });
});
