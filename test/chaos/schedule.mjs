/** Which faults come when: a pure function of the seed, so that a round can be run again. */
import { draw, pick } from './draws.mjs';

/** Shares of each fault. Kills of workers, children, planners, owners and Redis count as kills. */
export const WEIGHTS = {
  redis: {
    killWorker: 28,
    killChild: 34,
    killPlanner: 8,
    killRedis: 4,
    cutRedis: 2,
    freezeWorker: 6,
    freezeChild: 4,
    freezeRedis: 1,
    fillDisk: 3,
    twin: 5,
    addWorker: 3,
    removeWorker: 2,
  },
  pglite: {
    killChild: 80,
    killOwner: 6,
    freezeOwner: 2,
    freezeChild: 4,
    fillDisk: 2,
    twin: 4,
    changeWorkers: 2,
  },
};

/**
 * Faults of one round: `{ atMs, kind, target, lengthMs }`, by time. `target` in [0, 1) says which of the processes that
 * live then; `lengthMs` how long a freeze, a full disk or an outage lasts. A frozen worker stays so past its lock of 5 s.
 */
export function scheduleOf(seed, kind, { seconds, everyMs }) {
  const faults = [];
  for (let i = 0, at = 0; ; i++) {
    at += everyMs * (0.4 + 1.2 * draw(seed, kind, i, 'gap'));
    if (at >= seconds * 1000) return faults;
    const fault = pick(WEIGHTS[kind], draw(seed, kind, i, 'kind'));
    const [shortest, longest] = LENGTHS_MS[fault] ?? [0, 0];
    faults.push({
      atMs: Math.round(at),
      kind: fault,
      target: draw(seed, kind, i, 'target'),
      lengthMs: Math.round(shortest + (longest - shortest) * draw(seed, kind, i, 'length')),
    });
  }
}

const LENGTHS_MS = {
  killRedis: [100, 2500],
  cutRedis: [100, 1500],
  freezeWorker: [6000, 9000],
  freezeOwner: [2000, 7000],
  freezeChild: [500, 7000],
  freezeRedis: [1000, 7000],
  fillDisk: [500, 2500],
};
