import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, openBrowser, type Person } from './browser';
import { eventually, Workspace } from './workspace';

describe('the time bar', () => {
  let browser: Browser;
  let visitor: Person;
  let workspace: Workspace;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser);
    workspace = new Workspace(visitor.page);
    await workspace.open('/?area=441424');
  });
  afterAll(() => browser.close());

  it('takes map and figures to a day in the past, and back to now', async () => {
    const { page } = visitor;
    const today = await workspace.shownDate();
    const figureNow = await workspace.figure();
    const slider = page.getByRole('slider', { name: '累计通达自然村' });
    await slider.focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowLeft');
    expect(await workspace.shownDate()).not.toBe(today);
    await eventually(
      () => workspace.figure(),
      (figure) => figure !== figureNow,
    );
    const shown = await workspace.shownDate();
    expect(page.url()).toContain(`at=${shown}`);
    await eventually(
      async () => visitor.tiles.at(-1) ?? '',
      (tile) => tile.includes(`at=${shown}`),
    );
    await workspace.mapRests();
    await page.getByRole('button', { name: '回到当前' }).click();
    await eventually(
      () => workspace.figure(),
      (figure) => figure === figureNow,
    );
    expect(await workspace.shownDate()).toBe(today);
    expect(page.url()).not.toContain('at=');
  });

  it('draws the curve of what was reached', async () => {
    const curve = visitor.page.getByTestId('curve').locator('path.line');
    expect((await curve.getAttribute('d')) ?? '').toMatch(/^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+){10,}/);
  });

  it('plays by itself until now', async () => {
    const { page } = visitor;
    await page.getByRole('button', { name: '播放' }).click();
    await eventually(
      () => workspace.shownDate(),
      (date) => date > '2018-06-30' && date < '2020-10-31',
    );
    await page.getByRole('button', { name: '暂停' }).click();
  });
});
