/** What each kind of fault does. Each gives true when it struck something that lived. */
import { setTimeout as sleep } from 'node:timers/promises';
import { signal } from './processes.mjs';

const MOST_WORKERS = 4;
const TWIN_GROUPS = 3;

/** `fault`: an entry of a schedule. */
export function strike(round, fault) {
  return FAULTS[fault.kind](round, fault);
}

const FAULTS = {
  killWorker: (round, fault) => hit(round, 'worker', fault, 'SIGKILL'),
  killChild: (round, fault) => hit(round, 'child', fault, 'SIGKILL'),
  killPlanner: (round, fault) => hit(round, 'planner', fault, 'SIGKILL'),
  killOwner: (round, fault) => hit(round, 'planner', fault, 'SIGKILL'),
  freezeWorker: (round, fault) => freeze(round, 'worker', fault),
  freezeOwner: (round, fault) => freeze(round, 'planner', fault),
  freezeChild: (round, fault) => freeze(round, 'child', fault),
  changeWorkers: (round, fault) => {
    round.wantedWorkers = 1 + Math.floor(fault.target * MOST_WORKERS);
    return hit(round, 'planner', fault, 'SIGTERM'); // begins again with that many
  },
  addWorker: (round) => {
    if (round.wantedWorkers >= MOST_WORKERS) return false;
    round.wantedWorkers++; // keepWorkers starts it
    return true;
  },
  removeWorker: (round, fault) => {
    if (round.wantedWorkers <= 1) return false;
    round.wantedWorkers--;
    return hit(round, 'worker', fault, 'SIGTERM');
  },
  twin: (round) => {
    round.twin(TWIN_GROUPS);
    return true;
  },
  freezeRedis: (round, { lengthMs }) => {
    if (round.redisDown) return false;
    signal(round.redis.pid(), 'SIGSTOP');
    undoLater(round, lengthMs, () => signal(round.redis.pid(), 'SIGCONT'));
    return true;
  },
  killRedis: (round, fault) => killRedis(round, fault, 0),
  cutRedis: (round, fault) => killRedis(round, fault, fault.target),
  fillDisk: (round, { lengthMs }) => {
    if (!round.disk.fill || round.full) return false;
    round.full = true;
    round.disk.fill();
    undoLater(round, lengthMs, () => {
      round.disk.empty();
      round.full = false;
    });
    return true;
  },
};

/** A round that has just lost its owner has no child for a while: waits a little for one. */
async function livingOf(round, role) {
  for (let i = 0; i < 30; i++) {
    const living = round.processes(role);
    if (living.length > 0 || round.over) return living;
    await sleep(100);
  }
  return [];
}

async function hit(round, role, { target }, name) {
  const living = await livingOf(round, role);
  if (living.length === 0) return false;
  return signal(living[Math.floor(target * living.length)].pid, name);
}

async function freeze(round, role, { target, lengthMs }) {
  const living = await livingOf(round, role);
  if (living.length === 0) return false;
  const { pid } = living[Math.floor(target * living.length)];
  if (!signal(pid, 'SIGSTOP')) return false;
  undoLater(round, lengthMs, () => signal(pid, 'SIGCONT'));
  return true;
}

async function killRedis(round, { lengthMs }, lostShare) {
  if (round.redisDown) return false;
  round.redisDown = true;
  await round.redis.kill();
  undoLater(round, lengthMs, async () => {
    if (lostShare > 0) round.redis.cut(lostShare);
    await round.redis.start();
    round.redisDown = false;
  });
  return true;
}

/** Once: after `ms`, or when the round calms down before that. */
function undoLater(round, ms, undo) {
  const once = async () => {
    clearTimeout(timer);
    if (round.pending.delete(once)) await undo();
  };
  const timer = setTimeout(once, ms);
  round.pending.add(once);
}
