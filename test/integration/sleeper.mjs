/** A processor for tests: says that it began, then sleeps as long as its payload says; `stuck` never looks up again. */
import { appendFileSync } from 'node:fs';

export default async function sleeper({ data: { ms, stuck, log } }) {
  appendFileSync(log, `${process.pid}\n`);
  if (stuck) for (const end = Date.now() + ms; Date.now() < end; );
  else await new Promise((done) => setTimeout(done, ms));
  return { frames: 1 };
}
