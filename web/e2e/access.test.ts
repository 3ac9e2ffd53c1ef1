import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, BASE, openBrowser, type Person } from './browser';
import { Workspace } from './workspace';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  id: string;
  impact: string | null;
  nodes: { html: string }[];
}

async function seriousFindings(page: Page): Promise<string[]> {
  // Through the debugger, not as a script of the page: its policy would rightly refuse that.
  await page.evaluate(axe);
  const found = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations)',
  )) as Finding[];
  return found
    .filter((f) => f.impact === 'serious' || f.impact === 'critical')
    .map((f) => `${f.id}: ${f.nodes.map((n) => n.html.slice(0, 140)).join(' | ')}`);
}

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
