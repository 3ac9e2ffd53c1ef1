import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, BASE, openBrowser, type Person } from './browser';
import { Workspace } from './workspace';

describe('the ledger, twin of the map', () => {
  let browser: Browser;
  let visitor: Person;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser);
  });
  afterAll(() => browser.close());

  it('opens from the map with the keyboard, keeps the area, and opens a project', async () => {
    const { page } = visitor;
    const workspace = new Workspace(page);
    await workspace.open('/?area=441424');
    await page.getByRole('button', { name: /转到台账/ }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/ledger\?area=441424/);
    const rows = page.getByRole('row');
    await rows.nth(2).waitFor();
    const opener = rows.nth(2).getByRole('button').or(rows.nth(2).getByRole('link')).first();
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/sel=p/);
    await page.getByRole('heading', { name: '计划与实际' }).waitFor();
    expect(page.url()).toContain('area=441424');
  });
});

describe('a browser that cannot draw the map', () => {
  it('gets the ledger by itself, and is told why', async () => {
    const browser = await openBrowser(['--disable-gpu', '--disable-3d-apis']);
    try {
      const { page } = await arrive(browser);
      await page.goto(`${BASE}/?area=441424`);
      await page.getByText(/WebGL2/).waitFor();
      await page.getByRole('row').nth(2).waitFor();
    } finally {
      await browser.close();
    }
  });
});
