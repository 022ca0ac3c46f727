import { describe, expect, it } from 'vitest';
import type { Missing, ReportData } from '../../pipeline/reports/data.js';
import { buildPage, SIZE_BUDGET } from '../../pipeline/reports/index.js';
import { METRICS, report, worldTiles } from './fixture.js';

describe('buildPage()', () => {
  it('holds all of the run in one file and fetches nothing', async () => {
    const page = await buildPage(report());
    for (const id of [
      'time',
      'events',
      'frames',
      'ladder',
      'evaluation',
      'split',
      'anomaly',
      'training',
      'provenance',
    ])
      expect(page).toContain(`<section id="${id}"`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page).not.toMatch(/url\((?!data:)|@import|\bfetch\(|XMLHttpRequest|^import /m);
    expect(page).toContain('Maps by nobody, CC0.');
    expect(page).toContain('Natural Earth');
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });

  it('prints the figures of the metrics, not its own', async () => {
    const page = await buildPage(report());
    const { ap } = METRICS.evaluations.test;
    expect(page).toContain(`<b>${ap.value!.toFixed(3)}</b>`);
    expect(page).toContain('0.700 to 0.850');
    expect(page).toContain('minimum of msl');
    expect(page).toContain('50.0 % have a p-value of at most 0.05');
    expect(page).toContain('do not carry over');
  });

  it('reads without scripts: the map is a picture and every figure has its table', async () => {
    const page = await buildPage(report());
    expect(page).toMatch(/<img id="stage-static" src="data:image\/png;base64,/);
    expect(page.match(/<summary>Table: /g)!.length).toBeGreaterThanOrEqual(4);
    expect(page).toContain('<noscript>');
  });

  it('is not broken by hostile names', async () => {
    const hostile = '</title></script><script>alert(1)</script>';
    const page = await buildPage({ ...report({ title: hostile }), about: hostile, attribution: [hostile] });
    expect(page).not.toContain('<script>alert');
  });

  it('says what is missing and how to get it, whichever piece it is', async () => {
    const gone: [Missing['piece'], Partial<ReportData>][] = [
      ['dataset', { store: null }],
      ['labels', { labels: null }],
      ['split', { split: null }],
      ['predictions', { predictions: null }],
      ['scores', { scores: null }],
      ['events', { events: null }],
      ['metrics', { metrics: null }],
      ['log', { log: null }],
      ['attention', { attention: null }],
    ];
    const whole = report();
    for (const [piece, change] of gone) {
      const cure = `stormreel get-${piece}`;
      const page = await buildPage({
        ...whole,
        ...change,
        missing: [{ piece, reason: 'It is not there.', cure }],
      });
      expect(page, piece).toContain(cure);
      expect(page, piece).toContain('</html>');
      expect(page, piece).not.toMatch(/>\s*(NaN|undefined|null)\s*</);
    }
    const nothing = Object.fromEntries(
      gone.flatMap(([, change]) => Object.keys(change)).map((key) => [key, null]),
    );
    expect(await buildPage({ ...whole, ...nothing, index: null, attribution: [] })).toContain('</html>');
  });

  it('warns where the split leaks', async () => {
    const data = report();
    const page = await buildPage({ ...data, split: { ...data.split!, leaky: true } });
    expect(page).toContain('role="alert"');
  });

  it('shows tiles on the world and the test area around them', async () => {
    const page = await buildPage(report({ ...worldTiles(), frames: 24 * 4, size: 12 }));
    expect(page).toContain('class="stage world"');
    expect(page.match(/data-series=/g)).toHaveLength(24);
    expect(page).toContain('test-area');
    expect(page.match(/data-matrix=/g)!.length).toBeGreaterThanOrEqual(2);
  });

  it('stays within its size for 5,000 frames', async () => {
    const page = await buildPage(report({ frames: 5000, size: 48 }));
    expect(Buffer.byteLength(page)).toBeLessThan(SIZE_BUDGET);
  });
});
