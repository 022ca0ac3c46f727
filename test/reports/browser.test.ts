import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../../pipeline/reports/index.js';
import { report, worldTiles } from './fixture.js';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium)
  console.warn('report in a browser: skipped, no Chromium. To run it: apt-get install chromium');

let browser: Browser;
let folder = '';

describe.skipIf(!hasChromium)('the report in a browser', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stormreel-page-'));
    await writeFile(join(folder, 'one.html'), await buildPage(report({ frames: 40, size: 24 })));
    await writeFile(
      join(folder, 'world.html'),
      await buildPage(report({ ...worldTiles(), frames: 24 * 6, size: 12 })),
    );
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const name of ['one', 'world'])
    it(`steps, finds events and shows where the model looked, by key and by button (${name})`, async () => {
      const { page, faults } = await open(name, 1280);
      const seen = [await picture(page)];
      const change = async (what: string, act: () => Promise<void>) => {
        await act();
        await expect.poll(() => picture(page), { message: what }).not.toBe(seen[seen.length - 1]);
        seen.push(await picture(page));
      };
      const clock = () => page.locator('#stage-time').textContent();
      const before = await clock();
      await change('step', () => page.click('#previous'));
      await expect.poll(clock).not.toBe(before);
      await change('arrow key', () => page.keyboard.press('ArrowRight'));
      await expect.poll(clock).toBe(before);
      await change('attention off', () => page.keyboard.press('a'));
      await change('departure', () => page.keyboard.press('d'));
      await change('band', () => page.selectOption('#band', '1').then(() => {}));
      const at = await page.locator('#readout').textContent();
      await page.evaluate('document.activeElement.blur()');
      await page.keyboard.press('n');
      await expect.poll(() => page.locator('#readout').textContent()).not.toBe(at);
      await page.keyboard.press('p');
      await page.keyboard.press(' ');
      expect(await page.locator('#play').getAttribute('aria-pressed')).toBe('true');
      await page.waitForTimeout(600);
      await page.keyboard.press(' ');
      expect(await page.locator('#play').textContent()).toBe('Play');
      expect(faults).toEqual([]);
      await page.close();
    });

  it('brings up a time by a click on the time axis, and a tile by a click on a panel or on its mark', async () => {
    const one = await open('one', 1280);
    const before = await one.page.locator('#stage-time').textContent();
    await one.page.locator('[data-time-row] svg').click({ position: { x: 300, y: 60 } });
    await expect.poll(() => one.page.locator('#stage-time').textContent()).not.toBe(before);
    await one.page.close();
    const { page } = await open('world', 1280);
    const tile = () => page.locator('#series').inputValue();
    const first = await tile();
    await page
      .locator('[data-matrix]')
      .first()
      .click({ position: { x: 90, y: 40 } });
    await expect.poll(tile).not.toBe(first);
    const mark = page.locator('#marks .tile').nth(6);
    await mark.locator('.hit').click({ force: true });
    await expect.poll(tile).toBe(await mark.getAttribute('data-series'));
    await page.close();
  });

  it('says why a bad frame has no map', async () => {
    const { page } = await open('one', 1280);
    await page.locator('#scrub').evaluate((scrub) => {
      Object.assign(scrub, { value: '3' });
      scrub.dispatchEvent(new Event('input'));
    });
    await expect.poll(() => page.locator('#readout').textContent()).toContain('it ends early');
    await page.close();
  });

  for (const name of ['one', 'world'])
    for (const width of [375, 1280])
      it(`fits a screen of ${width} px and is accessible (${name})`, async () => {
        const { page, faults } = await open(name, width);
        await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true");
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow).toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(
          serious.map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .slice(0, 3)
                .map((n) => n.html)
                .join(' ')}`,
          ),
        ).toEqual([]);
        expect(faults).toEqual([]);
        await page.close();
      });

  it('without scripts still shows the map and the figures', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(folder, 'world.html')).href);
    expect(await page.locator('#stage-static').isVisible()).toBe(true);
    expect(await page.locator('#play').isVisible()).toBe(false);
    expect(await page.locator('noscript').isVisible()).toBe(true);
    await context.close();
  });
});

/** The page, and all that went wrong or over the network since. */
async function open(name: string, width: number): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => /^(file|data|blob):/.test(request.url()) || faults.push(request.url()));
  await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  await page.waitForSelector('html.ready');
  await page.waitForTimeout(60);
  return { page, faults };
}

const picture = (page: Page): Promise<string> =>
  page.evaluate("document.getElementById('stage').toDataURL()");
