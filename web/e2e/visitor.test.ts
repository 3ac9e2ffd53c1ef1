import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, ask, BASE, openBrowser, type Person } from './browser';
import { eventually, Workspace } from './workspace';

interface Village {
  items: { name: string; center: [number, number]; village: { code: string; name: string } }[];
}

describe('a visitor without an account', () => {
  let browser: Browser;
  let visitor: Person;
  let workspace: Workspace;
  beforeAll(async () => {
    browser = await openBrowser();
    visitor = await arrive(browser);
    workspace = new Workspace(visitor.page);
  });
  afterAll(() => browser.close());

  it('sees the province, its rate and its cities', async () => {
    await workspace.open();
    await workspace.isAt('广东省');
    const drawer = visitor.page.getByRole('complementary');
    expect(await drawer.innerText()).toMatch(/\d+(\.\d)?%/);
    expect(await drawer.getByRole('button', { name: /^梅州/ }).count()).toBeGreaterThan(0);
    await visitor.page.getByRole('region', { name: '图例' }).waitFor();
  });

  it('drills from the map to 梅州市, from the list to 五华县 and on to a village', async () => {
    await workspace.lookAt({ lng: 116.1, lat: 24.3 }, 7);
    await workspace.clickMiddle();
    await workspace.isAt('梅州市');
    await workspace.drillInto('五华');
    await workspace.isAt('五华县');
    await workspace.mapRests();
    expect(await workspace.figure()).toMatch(/五华县/);
    await eventually(
      () => workspace.villagesDrawn(),
      (n) => n > 100,
    );
    const { items } = await ask<Village>(
      visitor,
      '/areas/441424/natural-villages?counted=true&limit=5',
    );
    const found = items[0];
    if (!found) throw new Error('no natural village in 五华县');
    const [lng, lat] = found.center;
    await workspace.lookAt({ lng, lat }, 14, '&area=441424');
    await workspace.clickMiddle();
    await workspace.isAt(found.village.name);
    expect(visitor.page.url()).toContain(`area=${found.village.code}`);
  });

  it('goes back up by the breadcrumb, and back again by the browser', async () => {
    await workspace.goUpTo('五华县');
    await workspace.isAt('五华县');
    await workspace.goUpTo('广东省');
    await workspace.isAt('广东省');
    await visitor.page.goBack();
    await workspace.isAt('五华县');
  });

  it('is shown reviewed figures only', async () => {
    expect(await visitor.page.getByText('公开数据只用审核数').count()).toBe(1);
    expect(await visitor.page.getByRole('radio', { name: '上报数' }).count()).toBe(0);
  });

  it('asked no other host, and broke no rule of the Content-Security-Policy', () => {
    expect([...visitor.hosts]).toEqual([new URL(BASE).host]);
    expect(visitor.complaints).toEqual([]);
  });
});
