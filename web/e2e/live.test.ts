import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, ask, openBrowser, signIn, type Person } from './browser';
import { eventually, Workspace } from './workspace';

interface Projects {
  items: {
    id: string;
    code: string;
    name: string;
    percent: number;
    state: string;
    center: [number, number];
  }[];
}
interface Project {
  permissions: { report: boolean };
  quantities: { item: string; name_zh: string; decimals: number; planned: number; done: number }[];
}

/** A road project of 五华县 with something left to build, that the clerk may report on. */
async function unfinished(
  clerk: Person,
): Promise<{ project: Projects['items'][number]; detail: Project }> {
  const { items } = await ask<Projects>(
    clerk,
    '/projects?area=441424&sector=road&status=under_way&limit=50',
  );
  for (const project of items) {
    if (project.percent >= 90) continue;
    const detail = await ask<Project>(clerk, `/projects/${project.id}`);
    if (detail.permissions.report) return { project, detail };
  }
  throw new Error('no project to report on');
}

describe('progress that a clerk reports', () => {
  let browser: Browser;
  let clerk: Person;
  let leader: Person;
  beforeAll(async () => {
    browser = await openBrowser();
    [clerk, leader] = [await arrive(browser), await arrive(browser)];
    await signIn(clerk, 'jiaotong.wuhua');
    await signIn(leader, 'lingdao.gd');
  });
  afterAll(() => browser.close());

  it('appears on a page that a leader already has open, without a reload', async () => {
    const { project, detail } = await unfinished(clerk);
    const [lng, lat] = project.center;
    const watching = new Workspace(leader.page);
    await watching.lookAt({ lng, lat }, 13, `&area=441424&sel=p:${project.id}`);
    const drawer = leader.page.getByRole('complementary');
    await drawer.getByRole('heading', { name: project.name }).waitFor();
    const before = await watching.tilesSeq();
    const tilesBefore = leader.tiles.length;
    const percentBefore = await drawer.innerText();
    // Something that a reload would lose.
    await leader.page.evaluate(() => document.body.setAttribute('data-never-reloaded', 'yes'));

    const desk = new Workspace(clerk.page);
    await desk.open(`/?area=441424&sel=p:${project.id}`);
    await clerk.page.getByRole('button', { name: /填报进度|再次填报|修改后重报|继续填报/ }).click();
    const quantity = detail.quantities.find((q) => q.done < q.planned);
    if (!quantity) throw new Error('nothing left to build');
    const step = 10 ** -quantity.decimals;
    const next = Math.min(quantity.planned, quantity.done + Math.max(step, quantity.planned * 0.1));
    await clerk.page
      .getByRole('textbox', { name: new RegExp(quantity.name_zh) })
      .first()
      .fill(next.toFixed(quantity.decimals));
    await clerk.page.getByRole('button', { name: /^提交/ }).click();
    const sentAt = Date.now();

    await eventually(
      () => drawer.innerText(),
      (text) => text !== percentBefore,
    );
    const figureAfter = Date.now() - sentAt;
    await eventually(
      () => watching.tilesSeq(),
      (seq) => seq > before,
    );
    console.info(`drawer followed after ${figureAfter} ms, tiles after ${Date.now() - sentAt} ms`);
    const reloaded = leader.tiles.slice(tilesBefore);
    expect(reloaded.some((tile) => /min_seq=\d+/.test(tile))).toBe(true);
    expect(await leader.page.locator('body[data-never-reloaded=yes]').count()).toBe(1);
  });
});
