import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, openBrowser, PHONE, type Person } from './browser';
import { eventually, Workspace } from './workspace';

describe('on a phone', () => {
  let browser: Browser;
  let visitor: Person;
  let workspace: Workspace;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser, true);
    workspace = new Workspace(visitor.page);
    await workspace.open('/?area=441424');
  });
  afterAll(() => browser.close());

  it('the map fills the screen and shows the villages, nothing scrolls sideways', async () => {
    const box = await workspace.map.boundingBox();
    expect(box?.width).toBe(PHONE.width);
    expect(box?.height ?? 0).toBeGreaterThan(PHONE.height * 0.8);
    expect(await visitor.page.evaluate(() => document.documentElement.scrollWidth)).toBe(
      PHONE.width,
    );
    await eventually(
      () => workspace.villagesDrawn(),
      (n) => n > 100,
    );
  });

  it('details come up as a sheet, filters as a page of their own', async () => {
    const { page } = visitor;
    await page.getByRole('button', { name: '展开详情' }).click();
    await page.getByRole('button', { name: '收起详情' }).waitFor();
    await page.getByRole('button', { name: '收起详情' }).press('ArrowDown');
    await page.getByRole('button', { name: '专题与筛选' }).click();
    const filters = page.getByRole('dialog', { name: '专题与筛选' });
    await filters.getByText('断点，无项目').click();
    await page.keyboard.press('Escape');
    await filters.waitFor({ state: 'detached' });
    expect(page.url()).toContain('nv=');
  });

  it('what can be pressed is at least 44 px high', async () => {
    const low = await visitor.page.locator('button:visible, a:visible').evaluateAll((all) =>
      all
        .map((el) => ({ name: el.textContent?.trim(), box: el.getBoundingClientRect() }))
        .filter(({ box }) => box.bottom > 0 && box.top < innerHeight && box.right > 0)
        .filter(({ box }) => box.height < 43)
        .map(({ name, box }) => `${name} ${box.width}×${box.height}`),
    );
    expect(low).toEqual([]);
  });
});
