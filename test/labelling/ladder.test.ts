import { describe, expect, it } from 'vitest';
import {
  auroc,
  averagePrecision,
  judgedFrames,
  labelCells,
  ladder,
  type SimpleScore,
  simpleScores,
} from '../../pipeline/labelling/index.js';
import { makeSplit, TEST, TRAIN } from '../../pipeline/sequences/index.js';
import { SplitConfig } from '../../schemas/config/index.js';
import { hasNcep, openNcep } from './ncep.js';

const BOX = [-6, 30, 30, 46] as const;

describe.skipIf(!hasNcep)('the ladder on NCEP R1, three year-blocks', () => {
  it('gives the known figures of every simple rung', async () => {
    const { store, labels } = await openNcep();
    const cells = labelCells(store.description, BOX);
    const pooled = new Map<string, { score: number[]; label: number[] }>();
    const add = (key: string, score: Float64Array, frames: Uint32Array) => {
      const entry = pooled.get(key) ?? { score: [], label: [] };
      pooled.set(key, entry);
      for (const f of frames) entry.score.push(score[f]);
      for (const f of frames) entry.label.push(labels.label[f]);
    };
    const kind = ({ name }: SimpleScore) => (name.startsWith('logistic') ? 'regression' : name);
    for (const fold of [0, 1, 2]) {
      const config = SplitConfig.parse({ by: 'blocks', blocks: 'years', fold, embargo: '9d' });
      const { part } = makeSplit(store, labels, config, { windowLength: 1 });
      const [train, test] = [TRAIN, TEST].map((p) => judgedFrames(store.index, labels, part, [p]));
      for (const rung of await simpleScores({ store, labels, train, test, cells }))
        add(kind(rung), rung.score!, test);
    }
    const all = judgedFrames(store.index, labels);
    const [, ...rungs] = await simpleScores({ store, labels, train: all, test: all, cells });
    for (const { name, score } of rungs.slice(0, 4)) add(`${name}, all frames`, score!, all);
    const figures = (key: string) => {
      const { score, label } = pooled.get(key)!;
      return [auroc(score, label)!, averagePrecision(score, label)!];
    };
    const near = (key: string, [a, p]: number[], within: number) => {
      const [x, y] = figures(key);
      expect(Math.abs(x - a), `${key}: AUROC ${x}`).toBeLessThan(within);
      expect(Math.abs(y - p), `${key}: AP ${y}`).toBeLessThan(within);
    };
    // Without training: computed by NumPy and scikit-learn over the same cells.
    near('minimum of msl, all frames', [0.6303, 0.2229], 1e-3);
    near('low mean of msl, all frames', [0.6005, 0.2213], 1e-3);
    near('low mean of z500, all frames', [0.671, 0.2394], 1e-3);
    // Anchors of the data's README; the fields' scaling there is not stated.
    near('maximum of msl Laplacian', [0.733, 0.318], 0.005);
    near('minimum of msl seasonal anomaly', [0.662, 0.243], 0.02);
    near('regression', [0.748, 0.357], 0.025);
  });

  it('reports each step with its gain over the one below and says when it is not better', async () => {
    const { store, labels } = await openNcep();
    const config = SplitConfig.parse({
      by: 'dates',
      train: ['2000-01-01', '2001-07-01'],
      test: ['2001-07-11', '2003-01-01'],
    });
    const split = makeSplit(store, labels, config, { windowLength: 1 });
    const oracle = Float64Array.from(labels.label, (y, i) => y + 0.5 * Math.sin(i));
    const models = [
      { name: 'noise', score: oracle.map((_, i) => Math.sin(i * i)) },
      { name: 'oracle', score: oracle },
    ];
    const rungs = await ladder(store, labels, split, models, { box: BOX, draws: 300 });
    const kinds = rungs.map(
      ({ name }) =>
        /climatology|mean|anomaly|Laplacian|logistic|noise|oracle|m.nimum|maximum/.exec(
          name.replace(/^m\w+ of (?=.*(anomaly|Laplacian))/, ''),
        )![0],
    );
    expect(kinds.map((k) => k.replace(/m.*mum/, 'extreme'))).toEqual([
      'climatology',
      ...['mean', 'mean', 'extreme', 'extreme', 'anomaly', 'anomaly', 'Laplacian', 'Laplacian'],
      ...['logistic', 'noise', 'oracle'],
    ]);
    const [noise, best] = rungs.slice(-2);
    expect(noise.verdict).toBe('worse');
    expect(noise.apGain!.ci95![1]).toBeLessThan(0);
    expect(best.verdict).toBe('better');
    expect(best.auroc.value).toBeGreaterThan(0.99);
    expect(best.strongest!.apGain.ci95![0]).toBeGreaterThan(0);
    expect(best.apGain!.value).toBeCloseTo(best.ap.value! - noise.ap.value!, 12);
  });
});
