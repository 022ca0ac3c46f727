/** `npm run demo` after set-up: the whole flow on a week of real ERA5 maps, ending with a report. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const started = Date.now();
const { status } = spawnSync(
  process.execPath,
  ['bin/stormreel.js', 'run', 'examples/era5_week/stormreel.yaml', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
const report = resolve('examples/era5_week/out/run/report.html');
if (status !== 0 || !existsSync(report)) {
  console.error(
    `demo: stopped with exit code ${status}; run the same command again to go on from where it stopped`,
  );
  process.exit(status || 1);
}
console.log(
  `demo: ${report}\ndemo: done in ${Math.round((Date.now() - started) / 1000)} s; open the file above in a browser`,
);
