import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from './axe';
import { arrive, ask, openBrowser, PHONE, signIn, type Person } from './browser';
import { Hand, ReviewQueue, TodoList } from './duty';
import { eventually } from './workspace';

interface Todo {
  items: {
    group: string;
    project: { id: string; name: string; percent: number; light: string; pending_review: boolean };
  }[];
}
interface Project {
  reports: { id: string; review_state: string; corrects: string | null; percent: number }[];
}

describe("the bureau's day", () => {
  let browser: Browser;
  let clerk: Person;
  let reviewer: Person;
  let list: TodoList;
  let queue: ReviewQueue;
  let project: Todo['items'][number]['project'];
  const reason = '路面公里数与桩号不符，请核对';

  beforeAll(async () => {
    browser = await openBrowser();
    [clerk, reviewer] = [await arrive(browser), await arrive(browser)];
    list = new TodoList(clerk.page);
    queue = new ReviewQueue(reviewer.page);
  });
  afterAll(() => browser.close());

  it('a clerk lands on 我的待办; a reviewer on 待审核', async () => {
    await signIn(clerk, 'jiaotong.wuhua');
    await clerk.page.waitForURL(/\/todo/);
    await clerk.page.getByRole('heading', { name: '我的待办' }).waitFor();
    await list.row().first().waitFor();
    await signIn(reviewer, 'shenhe.wuhua');
    await reviewer.page.waitForURL(/\/review/);
    await queue.row().first().waitFor();
  });

  it('two clicks send a report, and the row leaves without a reload', async () => {
    const { items } = await ask<Todo>(clerk, '/todo?group=due');
    // On plan, so that nothing is left to do once it is reported.
    const found = items.find(
      ({ project: p }) => p.light === 'ok' && p.percent > 0 && p.percent < 90 && !p.pending_review,
    );
    if (!found) throw new Error('nothing is due');
    project = found.project;
    await clerk.page.evaluate(() => document.body.setAttribute('data-never-reloaded', 'yes'));
    const due = await list.count('due');
    const hand = new Hand();
    await hand.click(list.of(project.id).getByRole('button'));
    await hand.click(list.submit);
    await clerk.page.getByText(/已提交，待审核/).waitFor();
    expect(hand.clicks).toBe(2);
    await list.of(project.id).waitFor({ state: 'detached' });
    expect(await list.count('due')).toBe(due - 1);
    expect(await clerk.page.locator('body[data-never-reloaded=yes]').count()).toBe(1);
  });

  it('the counts filter the list', async () => {
    await clerk.page.getByTestId('count-late').click();
    await eventually(
      () => list.row('本月未报').count(),
      (n) => n === 0,
    );
    await eventually(
      async () => (await list.row().count()) === (await list.count('late')),
      (same) => same,
    );
    await clerk.page.getByTestId('count-late').click();
    await list.row('本月未报').first().waitFor();
  });

  it('the reviewer returns it with a reason', async () => {
    await queue.row(project.name).waitFor();
    await queue.row(project.name).getByRole('button', { name: project.name }).click();
    await reviewer.page.getByRole('button', { name: /^退回修改/ }).click();
    await reviewer.page.getByLabel(/退回理由/).fill(reason);
    await reviewer.page.getByRole('button', { name: '确认退回' }).click();
    await queue.row(project.name).waitFor({ state: 'detached' });
  });

  it('the clerk sees it as 退回修改 with reason and name, corrects and sends again', async () => {
    const row = list.row('退回修改').filter({ hasText: project.name });
    await row.waitFor();
    const text = await row.innerText();
    expect(text).toContain(reason);
    expect(text).toContain('古文华');
    expect(text).toContain('还有 3 天');
    await row.getByRole('button').click();
    // Her own words and figures stand in the form, with what to mend above them.
    await clerk.page.getByRole('complementary').getByText(reason).waitFor();
    await clerk.page.getByLabel('说明').fill('已按桩号复核');
    await list.submit.click();
    await clerk.page.getByText(/已提交，待审核/).waitFor();
    await list.of(project.id).waitFor({ state: 'detached' });
    const { reports } = await ask<Project>(clerk, `/projects/${project.id}`);
    const [now, before] = reports;
    expect(before?.review_state).toBe('returned');
    expect(now?.corrects).toBe(before?.id);
  });

  it('the history in the drawer shows the chain', async () => {
    await clerk.page.goto(
      clerk.page.url().replace(/\/todo.*/, `/ledger?area=441424&sel=p:${project.id}`),
    );
    const drawer = clerk.page.getByRole('complementary', { name: '详情' });
    await drawer.getByText(/^更正 .+ 退回的填报$/).waitFor();
    await drawer.getByText(/^已于 .+ 更正$/).waitFor();
  });

  it('the reviewer goes by keyboard, and approves several in one request', async () => {
    const { page } = reviewer;
    await queue.open();
    await eventually(
      () => queue.row(project.name).count(),
      (n) => n === 1,
    );
    const total = await queue.row().count();
    // The corrected report was sent last, so it stands last.
    await page.keyboard.press('k');
    for (let i = 0; i < total; i++) await page.keyboard.press('j');
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    await page.getByText('已选 2 份').waitFor();
    const batches: string[] = [];
    page.on('request', (r) => {
      if (r.method() === 'POST') batches.push(new URL(r.url()).pathname);
    });
    await page.getByRole('button', { name: '审核通过' }).click();
    await page.getByText('已审核通过 2 份。').waitFor();
    await queue.row(project.name).waitFor({ state: 'detached' });
    expect(batches).toEqual(['/api/v1/reports/review']);
    const { reports } = await ask<Project>(clerk, `/projects/${project.id}`);
    expect(reports[0]?.review_state).toBe('approved');
    // Enter opens a row, Escape goes back to it.
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '核对' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: '核对' }).waitFor({ state: 'detached' });
  });

  it('both pages have no serious barrier', async () => {
    await list.open();
    await list.row().first().getByRole('button').click();
    await list.submit.waitFor();
    expect(await seriousFindings(clerk.page)).toEqual([]);
    await queue.row().first().getByRole('button').click();
    await reviewer.page.getByRole('heading', { name: '核对' }).waitFor();
    expect(await seriousFindings(reviewer.page)).toEqual([]);
  });

  it('who has nothing to do lands on the map, and is told why a list is not hers', async () => {
    const leader = await arrive(browser);
    await signIn(leader, 'lingdao.gd');
    await leader.page.getByTestId('map').waitFor();
    expect(await leader.page.getByRole('link', { name: /待办|待审核/ }).count()).toBe(0);
    await new TodoList(leader.page).page.goto(clerk.page.url().replace(/\?.*/, ''));
    await leader.page.getByText('您的角色没有“填报进度”的权限。').waitFor();
    await leader.page.getByRole('button', { name: '回到一张图' }).click();
    await leader.page.getByTestId('map').waitFor();
  });

  it('neither page asked another host or broke a rule of the page', () => {
    for (const person of [clerk, reviewer]) {
      expect([...person.hosts]).toHaveLength(1);
      expect(person.complaints).toEqual([]);
    }
  });
});

describe("the clerk's list on a phone", () => {
  let browser: Browser;
  let clerk: Person;
  let list: TodoList;
  beforeAll(async () => {
    browser = await openBrowser();
    clerk = await arrive(browser, true);
    list = new TodoList(clerk.page);
    await signIn(clerk, 'jiaotong.wuhua');
    await list.row().first().waitFor();
  });
  afterAll(() => browser.close());

  const width = () => clerk.page.evaluate(() => document.documentElement.scrollWidth);

  it('fills the width, has room for a thumb, and no serious barrier', async () => {
    expect(await width()).toBe(PHONE.width);
    const low = await clerk.page.locator('main button:visible').evaluateAll((all) =>
      all
        .map((el) => ({ name: el.textContent?.trim(), box: el.getBoundingClientRect() }))
        .filter(({ box }) => box.height < 43)
        .map(({ name, box }) => `${name} ${box.width}×${box.height}`),
    );
    expect(low).toEqual([]);
    expect(await seriousFindings(clerk.page)).toEqual([]);
  });

  it('sends a report with two taps, goes back by the browser and on to the next', async () => {
    // One that lags too stays on the list after its report: it changes its state.
    const row = list.row('本月未报').filter({ hasText: '上次' }).first();
    const id = (await row.getAttribute('data-project')) ?? '';
    const hand = new Hand();
    await hand.click(row.getByRole('button'));
    await hand.click(list.submit);
    await clerk.page.getByText(/已提交，待审核/).waitFor();
    expect(hand.clicks).toBe(2);
    expect(await width()).toBe(PHONE.width);
    await clerk.page.getByRole('button', { name: '下一个' }).click();
    await list.submit.waitFor();
    await clerk.page.goBack();
    await clerk.page.goBack();
    await list.row().first().waitFor();
    const rest = list.row('本月未报').and(list.of(id));
    await rest.waitFor({ state: 'detached' });
  });
});
