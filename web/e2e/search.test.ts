import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, openBrowser, type Person } from './browser';
import { Workspace } from './workspace';

describe('search', () => {
  let browser: Browser;
  let visitor: Person;
  let workspace: Workspace;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser);
    workspace = new Workspace(visitor.page);
    await workspace.open();
  });
  afterAll(() => browser.close());

  it('is reached with "/" and opens 五华县 with the keyboard alone', async () => {
    const { page } = visitor;
    await page.keyboard.press('/');
    await page.keyboard.type('五华县');
    const option = page.getByRole('option').first();
    await option.waitFor();
    expect(await option.innerText()).toContain('五华县');
    await page.keyboard.press('Enter');
    await workspace.isAt('五华县');
    await workspace.mapRests();
    expect(Number(await workspace.map.getAttribute('data-zoom'))).toBeGreaterThan(8);
  });

  it('says so when nothing has that name', async () => {
    const { page } = visitor;
    await page.getByRole('combobox').fill('没有这个村名');
    await page.getByText(/没有/).first().waitFor();
    expect(await page.getByRole('option').count()).toBe(0);
  });
});
