import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrive, ask, BASE, openBrowser, signIn, type Person } from './browser';
import { workbook } from './xlsx.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Figures {
  children: { name: string; road: { total: number; reported: number } }[];
}

/** The XML of a part of a workbook: its local header is found by name. */
function part(bytes: Buffer, name: string): string {
  // The central directory has the sizes; local headers may not.
  for (let at = bytes.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0;) {
    const [packed, nameLength] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const [extra, comment] = [bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const local = bytes.readUInt32LE(at + 42);
    if (bytes.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const body = bytes.subarray(from, from + packed);
      return (bytes.readUInt16LE(at + 10) === 0 ? body : inflateRawSync(body)).toString('utf8');
    }
    at += 46 + nameLength + extra + comment;
    if (bytes.toString('latin1', at, at + 4) !== 'PK\x01\x02') break;
  }
  throw new Error(`${name} is not in the workbook`);
}

function cell(xml: string, name: string): number {
  return Number(new RegExp(`<c r="${name}"[^>]*><v>([^<]*)</v>`).exec(xml)?.[1] ?? 'NaN');
}

describe('forms of superiors', () => {
  let browser: Browser;
  let clerk: Person;
  beforeAll(async () => {
    browser = await openBrowser();
    clerk = await arrive(browser);
    await signIn(clerk, 'jiaotong.wuhua');
  });
  afterAll(() => browser.close());

  it('are uploaded, confirmed once, and filled for two dates', async () => {
    const { page } = clerk;
    const now = await ask<Figures>(clerk, '/areas/441424/figures');
    const then = await ask<Figures>(clerk, '/areas/441424/figures?at=2019-09-30');
    const towns = now.children.map((c) => c.name);
    const name = `农村公路月报 ${Date.now()}`;

    await page
      .getByRole('navigation', { name: '主导航' })
      .getByRole('link', { name: '套表' })
      .click();
    await page.getByLabel(/上传空表/).setInputFiles({
      name: '附表.xlsx',
      mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      // One name without its 镇, as people write it.
      buffer: workbook(towns.map((town, i) => (i === 1 ? town.replace(/镇$/, '') : town))),
    });
    await page.getByRole('button', { name: /保存并去填数/ }).waitFor();
    await page.getByText('通硬化路自然村数').first().waitFor();
    // The one short name is confirmed by a click.
    const check = page.getByRole('complementary').getByRole('listitem').first();
    await check.getByRole('button', { name: towns[1] ?? '', exact: true }).click();
    await page.getByText('各行都认出来了').waitFor();
    expect(await findings(clerk)).toEqual([]);
    await page.getByLabel('套表名称').fill(name);
    await page.getByRole('button', { name: /保存并去填数/ }).click();

    for (const [date, figures] of [
      ['2020-10-31', now],
      ['2019-09-30', then],
    ] as const) {
      await page.getByLabel('截止日期').fill(date);
      await page.getByRole('button', { name: /^(填数|换个日期再填)$/ }).click();
      const link = page.getByRole('link', { name: new RegExp(`下载 ${date}`) });
      await link.waitFor();
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
      const bytes = readFileSync(await download.path());
      const xml = part(bytes, 'xl/worksheets/sheet1.xml');
      figures.children.forEach((town, i) => {
        expect(cell(xml, `B${4 + i}`), town.name).toBe(town.road.total);
        // 未填报 stays empty: then the page says so.
        const reached = cell(xml, `C${4 + i}`);
        if (!Number.isNaN(reached)) expect(reached, town.name).toBe(town.road.reported);
      });
      expect(xml).toContain(`<f>SUM(C4:C${3 + towns.length})</f>`);
      const total = new RegExp(`<c r="B${4 + towns.length}"[^>]*><f>[^<]*</f><v>([^<]*)</v>`);
      expect(Number(total.exec(xml)?.[1])).toBe(
        figures.children.reduce((sum, town) => sum + town.road.total, 0),
      );
      expect(xml).toContain(`截止日期：${date.replace(/^(\d+)-0?(\d+)-0?(\d+)$/, '$1年$2月$3日')}`);
      expect(part(bytes, 'xl/workbook.xml')).toContain('fullCalcOnLoad="1"');
    }
    expect(await findings(clerk)).toEqual([]);

    await page.getByRole('button', { name: '返回套表' }).click();
    await page.getByRole('button', { name: `用“${name}”填数` }).waitFor();
    expect(await findings(clerk)).toEqual([]);
    expect(clerk.complaints).toEqual([]);
  });

  it('that are no .xlsx are refused with what to do', async () => {
    const { page } = clerk;
    await page.goto(`${BASE}/sheets`);
    await page.getByLabel(/上传空表/).setInputFiles({
      name: '旧.xls',
      mimeType: 'application/vnd.ms-excel',
      buffer: Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    });
    expect(await page.getByRole('alert').innerText()).toContain('另存为');
  });

  it('are not for visitors', async () => {
    const visitor = await arrive(browser);
    await visitor.page.goto(`${BASE}/sheets`);
    await visitor.page.getByLabel('密码', { exact: true }).waitFor();
    expect(await visitor.page.getByRole('link', { name: '套表' }).count()).toBe(0);
  });
});

async function findings({ page }: Person): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate(
    'axe.run("#main", { resultTypes: ["violations"] }).then((r) => r.violations)',
  )) as { id: string; impact: string | null; nodes: { html: string }[] }[];
  return found
    .filter((f) => f.impact === 'serious' || f.impact === 'critical')
    .map((f) => `${f.id}: ${f.nodes.map((n) => n.html.slice(0, 140)).join(' | ')}`);
}
