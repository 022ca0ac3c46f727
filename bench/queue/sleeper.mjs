/** A job that says when it began, in whose hands it is, and goes on until it is told to end. */
import '../../dist/workers/processors/guard.js';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export default async function work({ data: { signs } }) {
  appendFileSync(signs, `${JSON.stringify({ at: Date.now(), pid: process.pid, parent: process.ppid })}\n`);
  while (!existsSync(`${signs}.end`)) await sleep(20);
}
