import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from './axe';
import { arrive, BASE, openBrowser, type Person } from './browser';
import { Workspace } from './workspace';

describe('everybody can use it', () => {
  let browser: Browser;
  let visitor: Person;
  let workspace: Workspace;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser);
    workspace = new Workspace(visitor.page);
  });
  afterAll(() => browser.close());

  it.each(['/', '/?area=441424'])('the workspace at %s has no serious barrier', async (path) => {
    await workspace.open(path);
    await visitor.page.getByRole('complementary').getByRole('button').first().waitFor();
    expect(await seriousFindings(visitor.page)).toEqual([]);
  });

  it('the sign-in page has no serious barrier', async () => {
    await visitor.page.goto(`${BASE}/signin`);
    await visitor.page.getByLabel('密码', { exact: true }).waitFor();
    expect(await seriousFindings(visitor.page)).toEqual([]);
  });

  it('the map moves by arrow keys, and Escape closes the drawer', async () => {
    const { page } = visitor;
    await workspace.open('/?area=441424&map=11/23.8/115.7');
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL((url) => !url.href.includes('/23.80000/115.70000'));
    await page.keyboard.press('=');
    await page.waitForSelector('[data-testid=map][data-zoom="12.00"]');
  });
});
