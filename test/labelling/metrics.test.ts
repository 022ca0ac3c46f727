import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runs } from '../../pipeline/labelling/events/hysteresis.js';
import {
  auroc,
  averagePrecision,
  brier,
  brierSkill,
  calibrationError,
  contingencyMetrics,
  countsOf,
  curves,
  dropShort,
  equalMassEdges,
  hysteresis,
  logLoss,
  matchEvents,
  rank,
  reliability,
} from '../../pipeline/labelling/index.js';

const shared = new URL('../../../shared/', import.meta.url);
const read = (url: URL) => JSON.parse(readFileSync(url, 'utf8'));
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe('metrics', () => {
  const cases = read(new URL('../golden/labelling_metrics.json', import.meta.url));

  it.each([0, 1, 2])('agree with scikit-learn on random scores with ties, case %i', (i) => {
    const { z, y, counts, ...known } = cases[i] as Record<string, never> & { z: number[]; y: number[] };
    const p = z.map(sigmoid);
    expect(auroc(z, y)).toBeCloseTo(known.auroc, 12);
    expect(averagePrecision(z, y)).toBeCloseTo(known.ap, 12);
    expect(brier(p, y)).toBeCloseTo(known.brier, 12);
    expect(logLoss(p, y)).toBeCloseTo(known.logLoss, 10);
    expect(calibrationError(p, y)).toBeCloseTo(known.ece, 12);
    expect(
      countsOf(
        p.map((x) => (x >= 0.5 ? 1 : 0)),
        y,
      ),
    ).toEqual(counts);
  });

  it('give a constant score the prevalence as average precision, never the trapezoid', () => {
    expect(averagePrecision(new Float64Array(8), [1, 0, 0, 0, 1, 0, 0, 0])).toBeCloseTo(0.25, 15);
    expect(auroc(new Float64Array(8), [1, 0, 0, 0, 1, 0, 0, 0])).toBe(0.5);
  });

  it('are null where they are undefined', () => {
    expect(auroc([1, 2], [0, 0])).toBeNull();
    expect(averagePrecision([1, 2], [0, 0])).toBeNull();
    expect(brier([], [])).toBeNull();
    expect(brierSkill([0.2, 0.1], [0, 0], 0)).toBeNull();
    const none = contingencyMetrics({ tp: 0, fp: 0, fn: 0, tn: 5 });
    expect(none).toEqual({
      pod: null,
      far: null,
      pofd: 0,
      csi: null,
      bias: null,
      hss: null,
      ets: null,
      pss: null,
      sedi: null,
    });
  });

  it('measure skill against the reference given', () => {
    const y = [0, 1, 0, 0];
    expect(brierSkill([0.25, 0.25, 0.25, 0.25], y, 0.25)).toBe(0);
    expect(brierSkill(y, y, 0.25)).toBe(1);
    expect(brierSkill([0, 1, 0, 0.5], y, [0, 0.5, 0, 0])).toBeCloseTo(0, 15);
  });

  it('compute SEDI by its formula', () => {
    const [h, f] = [0.8, 0.1];
    const up = Math.log(f) - Math.log(h) - Math.log(1 - f) + Math.log(1 - h);
    const down = Math.log(f) + Math.log(h) + Math.log(1 - f) + Math.log(1 - h);
    expect(contingencyMetrics({ tp: 8, fn: 2, fp: 10, tn: 90 }).sedi).toBeCloseTo(up / down, 14);
  });

  it('cut equal-mass bins of nearly equal size and put every probability into one bin', () => {
    const p = Float64Array.from({ length: 300 }, (_, i) => (i / 300) ** 3);
    const bins = reliability(p, new Uint8Array(300), equalMassEdges(p));
    expect(bins).toHaveLength(15);
    expect(bins.map(({ n }) => n)).toEqual(new Array(15).fill(20));
    expect(reliability([0, 1], [0, 1]).reduce((n, bin) => n + bin.n, 0)).toBe(2);
  });

  it('thin curves and keep both ends', () => {
    const z = Float64Array.from({ length: 5000 }, (_, i) => Math.sin(i));
    const { roc, pr } = curves(
      rank(
        z,
        Uint8Array.from(z, (_, i) => (i % 7 === 0 ? 1 : 0)),
      ),
    );
    expect(roc.length).toBeLessThan(205);
    expect([roc[0], roc.at(-1)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(pr.at(-1)![0]).toBe(1);
  });
});

describe.skipIf(!existsSync(new URL('fixtures/postproc_metrics.json', shared)))('the shared fixture', () => {
  const fixture = existsSync(new URL('fixtures/postproc_metrics.json', shared))
    ? read(new URL('fixtures/postproc_metrics.json', shared))
    : {};

  it('agrees in hysteresis, minimum run, events and their matching', () => {
    const { p, hysteresis: known } = fixture;
    const mask = hysteresis(p, { high: known.hi, low: known.lo });
    expect([...mask]).toEqual(known.out);
    expect([...dropShort(mask, 2)]).toEqual(fixture.min_duration2);
    const spans = (pairs: number[][]) => pairs.map(([start, end]) => ({ start, end }));
    expect(runs(dropShort(mask, 2))).toEqual(spans(fixture.pred_events));
    expect(runs(fixture.y)).toEqual(spans(fixture.gt_events));
    expect(matchEvents(spans(fixture.gt_events), spans(fixture.pred_events))).toHaveLength(
      fixture.event_tp_iou50,
    );
  });

  it('agrees in frame metrics', () => {
    const { p, y, frame_thr50: known } = fixture;
    expect(auroc(p, y)).toBeCloseTo(fixture.auroc, 12);
    expect(averagePrecision(p, y)).toBeCloseTo(fixture.ap, 12);
    const counts = countsOf(
      p.map((x: number) => (x >= 0.5 ? 1 : 0)),
      y,
    );
    const found = { ...counts, ...contingencyMetrics(counts) } as Record<string, number>;
    for (const [name, value] of Object.entries(known))
      expect(found[name], name).toBeCloseTo(value as number, 12);
  });
});

const peers = new URL('data/peer_predictions/', shared);
describe.skipIf(!existsSync(peers))('real scores of three networks', () => {
  it.each([
    ['mpi_13', { auroc: 0.515183, ap: 0.538319 }],
    ['x3d_5', { auroc: 0.476365, ap: 0.473991 }],
    ['x3dm_dsnt_6_notempstride', { auroc: 0.545422, ap: 0.472714 }],
  ])('give the known numbers: %s', (name, known) => {
    const { z, y } = peer(name);
    expect(z).toHaveLength(4708);
    expect(Math.abs(auroc(z, y)! - known.auroc)).toBeLessThan(1e-5);
    expect(Math.abs(averagePrecision(z, y)! - known.ap)).toBeLessThan(1e-5);
  });

  it('give the known probability and contingency measures', () => {
    const { z, y } = peer('mpi_13');
    const p = z.map(sigmoid);
    const counts = countsOf(
      p.map((x) => (x >= 0.5 ? 1 : 0)),
      y,
    );
    expect(counts).toEqual({ tp: 276, fp: 86, fn: 1840, tn: 2506 });
    const found = {
      ...contingencyMetrics(counts),
      brier: brier(p, y),
      logLoss: logLoss(p, y),
      ece: calibrationError(p, y),
    };
    const known = {
      brier: 0.350435,
      logLoss: 1.277296,
      ece: 0.315813,
      pod: 0.130435,
      far: 0.237569,
      csi: 0.125341,
      hss: 0.105268,
      ets: 0.055558,
    };
    for (const [key, value] of Object.entries(known))
      expect(Math.abs((found[key as keyof typeof found] as number) - value), key).toBeLessThan(1e-5);
  });
});

function peer(name: string): { z: number[]; y: number[] } {
  const rows = gunzipSync(readFileSync(new URL(`preds_exp_${name}.csv.gz`, peers)))
    .toString()
    .trim()
    .split('\n');
  const header = rows[0].split(',');
  const [label, logit] = [header.indexOf('label'), header.indexOf('presence_logit')];
  const cells = rows.slice(1).map((row) => row.split(','));
  return { z: cells.map((c) => Number(c[logit])), y: cells.map((c) => Number(c[label])) };
}
