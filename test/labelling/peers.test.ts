/**
 * `stormreel evaluate` on real scores of three networks. AUROC and AP of all three and every figure of mpi_13 are those
 * of the data's README; the other figures of x3d_5 and x3dm were computed with scikit-learn and NumPy.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../../cli/evaluate.js';
import type { Evaluation } from '../../schemas/records/index.js';
import { call } from '../integration/inProcess.js';

const peers = new URL('../../../shared/data/peer_predictions/', import.meta.url);
const CASES = {
  mpi_13: {
    ...{ auroc: 0.515183, ap: 0.538319, brier: 0.350435, logLoss: 1.277296, ece: 0.315813, bss: -0.416215 },
    ...{ pod: 0.130435, far: 0.237569, csi: 0.125341, hss: 0.105268, ets: 0.055558 },
    counts: { tp: 276, fp: 86, fn: 1840, tn: 2506 },
  },
  x3d_5: {
    ...{ auroc: 0.476365, ap: 0.473991, brier: 0.372308, logLoss: 1.249048, ece: 0.326908, bss: -0.504613 },
    counts: { tp: 492, fp: 718, fn: 1624, tn: 1874 },
  },
  x3dm_dsnt_6_notempstride: {
    ...{ auroc: 0.545422, ap: 0.472714, brier: 0.256139, logLoss: 0.705468, ece: 0.095496, bss: -0.035138 },
    counts: { tp: 2116, fp: 2592, fn: 0, tn: 0 },
  },
};

describe.skipIf(!existsSync(peers))('stormreel evaluate on the scores of three networks', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stormreel-peers-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.entries(CASES))('prints the known numbers: %s', async (name, { counts, ...known }) => {
    const text = gunzipSync(readFileSync(new URL(`preds_exp_${name}.csv.gz`, peers))).toString();
    // The one file holds scores and labels; only the names of its columns are others.
    const file = join(folder, `${name}.csv`);
    await writeFile(file, text.replace('presence_logit', 'logit').replace('sequence', 'series'));
    const { code, json } = await call(command, [file, file, '--assume-utc']);
    const found = json as Evaluation;
    expect(code).toBe(0);
    expect(found).toMatchObject({ n: 4708, positives: 2116, counts });
    for (const [key, value] of Object.entries(known))
      expect(
        Math.abs(found[key as keyof typeof known].value! - value),
        `${key} ${found[key as keyof typeof known].value}`,
      ).toBeLessThan(1e-6);
    expect(found.intervals).toMatch(/series are taken as independent: give --dataset/);
    expect(found.auroc).toMatchObject({
      ci95: null,
      reason: expect.stringMatching(/not estimable: 3 events/),
    });
  });
});
