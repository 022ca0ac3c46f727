/** `stormreel simulate`: a season of maps whose truth is known. */
import { resolve } from 'node:path';
import { SimulationConfig, writeSeason } from '../pipeline/simulation/index.js';
import { action, define } from './command.js';
import { check } from './config.js';

interface Flags {
  out: string;
  frames?: string;
  size?: string;
  seed?: string;
  storms?: string;
  step?: string;
  gaps?: string;
  defects?: string;
  start?: string;
}

export const command = () =>
  define(
    'simulate',
    'Write a simulated season: GeoTIFF maps, labels.csv and tracks.csv',
    'stormreel simulate --out season --frames 240 --size 128 --seed 7',
  )
    .requiredOption('--out <dir>', 'folder of the maps')
    .option('--frames <n>', 'nominal frames (default 240)')
    .option('--size <px>', 'width and height of a map (default 128)')
    .option('--seed <n>', 'another seed, another season (default 0)')
    .option('--storms <n>', 'medicanes (default: one for every 160 hours, at least one)')
    .option('--step <span>', 'time between frames (default 1h)')
    .option('--gaps <share>', 'share of frames never received (default 0.02)')
    .option('--defects <share>', 'share of frames with lost lines (default 0.03)')
    .option('--start <date>', 'time of the first frame (default 2020-09-01)')
    .action(
      action<Flags>(async ({ flags, out, signal }) => {
        const { out: folder, frames, size, seed, storms, step, gaps, defects, start } = flags;
        const asked = { frames, size, seed, storms, gaps, defects };
        const numbers = Object.fromEntries(
          Object.entries(asked).flatMap(([name, text]) => (text === undefined ? [] : [[name, number(text)]])),
        );
        const config = check(SimulationConfig, { ...numbers, step, start }, 'flags');
        const made = await writeSeason(resolve(folder), config, { onProgress: out.onProgress, signal });
        out.result(
          made,
          `${made.frames} maps in ${made.out}: ${made.storms} medicane${made.storms === 1 ? '' : 's'} in ${made.positives} of them, ${made.lost} lost in gaps, ${made.defects} with lost lines\n` +
            `next: stormreel ingest ${folder} --out dataset --labels ${folder}/labels.csv`,
        );
      }),
    );

/** Text that is no number stays as it is, so that the schema names the field. */
const number = (text: string): number | string =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
