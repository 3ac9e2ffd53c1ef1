// Makes the pictures of docs/screenshots from a running demo: `npm run screenshots`.
// CUNTONG_URL names the server; OUT another folder. PNG, desk 1440 × 900 and phone 390 × 844.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { workbook } from './xlsx.mjs';

const BASE = process.env.CUNTONG_URL ?? 'http://127.0.0.1:8080';
const OUT = process.env.OUT ?? fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const COUNTY = '441424';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
mkdirSync(OUT, { recursive: true });

async function person(login, phone = false) {
  const context = await browser.newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1440, height: 900 },
    deviceScaleFactor: phone ? 2 : 1,
    hasTouch: phone,
    isMobile: phone,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  if (login) {
    await page.goto(`${BASE}/signin`);
    await page.getByLabel('账号', { exact: true }).fill(login);
    await page.getByLabel('密码', { exact: true }).fill('cuntong-2020');
    await page.getByRole('button', { name: '登录', exact: true }).last().click();
    await page.locator('[data-testid=map], [data-testid=todo], [data-testid=review]').waitFor();
  }
  return page;
}

async function get(page, path) {
  const response = await page.context().request.get(`${BASE}/api/v1${path}`);
  if (!response.ok()) throw new Error(`${path}: ${response.status()}`);
  return response.json();
}

async function shoot(page, path, name, ready) {
  await page.goto(BASE + path);
  const resting = '[data-testid=map][data-resting=true]';
  if (!/^\/(ledger|signin|todo|review)/.test(path)) {
    await page.waitForSelector(resting);
    // The drawer may frame what is selected: then the map moves once more.
    await page.waitForTimeout(1500);
    await page.waitForSelector(resting);
  }
  await ready?.(page);
  await page.screenshot({ path: `${OUT}/${name}.png` });
  console.log(name);
}

/** The village of the county where most is still missing: the picture should show work. */
async function busiestVillage(page) {
  const { items } = await get(
    page,
    `/areas/${COUNTY}/natural-villages?status=gap&counted=true&limit=200`,
  );
  const by = new Map();
  for (const item of items) by.set(item.village.code, (by.get(item.village.code) ?? 0) + 1);
  return [...by].sort((a, b) => b[1] - a[1])[0]?.[0] ?? COUNTY;
}

/** A road project that lags, with something built already. */
async function lateProject(page) {
  const { items } = await get(
    page,
    `/projects?area=${COUNTY}&sector=road&light=late&sort=-percent&limit=20`,
  );
  return items.find((p) => p.percent < 95) ?? items[0];
}

/** `IMPORTED=1`: the one picture of an imported programme, docs/examples/pmgsy-haryana.toml. */
async function imported() {
  const visitor = await person(null);
  await shoot(visitor, '/', 'imported-haryana');
}

/** 套表: the mapping that is proposed, and a filled copy. */
async function sheets(page) {
  const { children } = await get(page, `/areas/${COUNTY}/figures`);
  const towns = children.map((c, i) => (i === 2 ? c.name.replace(/镇$/, '') : c.name));
  await page.goto(`${BASE}/sheets`);
  await page.getByLabel(/上传空表/).setInputFiles({
    name: '农村公路硬化建设进展情况表.xlsx',
    mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    buffer: workbook(towns),
  });
  const save = page.getByRole('button', { name: /保存并去填数/ });
  await save.waitFor();
  await page.locator('thead button').nth(2).click();
  await page.screenshot({ path: `${OUT}/sheets-map.png` });
  await page.getByLabel('套表名称').fill(`农村公路月报 ${new Date().toISOString().slice(11, 19)}`);
  await save.click();
  await page.getByRole('button', { name: '填数', exact: true }).click();
  await page.getByRole('link', { name: /^下载/ }).waitFor();
  await page.screenshot({ path: `${OUT}/sheets-fill.png` });
  await page.getByRole('button', { name: '返回套表' }).click();
  await page.getByRole('button', { name: /填数$/ }).first().waitFor();
  await page.screenshot({ path: `${OUT}/sheets.png` });
  console.log('sheets');
}

try {
  if (process.env.IMPORTED) {
    await imported();
    process.exit(0);
  }
  const planner = await person('guihua.gd');
  await shoot(planner, '/?reading=approved', 'workspace-province');
  await shoot(planner, '/?area=441400&reading=approved', 'workspace-city');
  const village = await busiestVillage(planner);
  await shoot(
    planner,
    `/?area=${village}&nv=done.gap.under_way.not_started.uncounted`,
    'workspace-village',
  );

  const clerk = await person('jiaotong.wuhua');
  const project = await lateProject(clerk);
  const open = project ? `&sel=p:${project.id}` : '';
  await shoot(clerk, `/?area=${COUNTY}`, 'workspace-county');
  await shoot(clerk, `/?area=${COUNTY}${open}`, 'workspace-project');
  await shoot(clerk, `/ledger?area=${COUNTY}`, 'ledger', (page) =>
    page.getByRole('row').nth(3).waitFor(),
  );
  await shoot(clerk, `/?area=${COUNTY}${open}`, 'report-form', async (page) => {
    await page.getByRole('button', { name: /填报进度|再次填报|修改后重报|继续填报/ }).click();
    await page.getByRole('button', { name: /^提交/ }).waitFor();
  });

  await shoot(clerk, '/todo', 'todo', async (page) => {
    const rows = page.locator('[data-project] button');
    await rows.first().waitFor();
    // One that is under way: the form then shows what was last reported.
    await rows.filter({ hasText: '上次' }).nth(1).click();
    await page.getByRole('button', { name: /^提交/ }).waitFor();
    await page.waitForTimeout(500);
  });
  const reviewer = await person('shenhe.wuhua');
  await shoot(reviewer, '/review', 'review', async (page) => {
    await page.locator('[data-report]').nth(3).waitFor();
    for (const key of ['j', ' ', 'j', ' ', 'j', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('heading', { name: '核对' }).waitFor();
    await page.waitForTimeout(500);
  });
  await sheets(clerk);

  const visitor = await person(null, true);
  await shoot(visitor, `/?area=${COUNTY}`, 'phone-county');
  const phoneClerk = await person('jiaotong.wuhua', true);
  await shoot(phoneClerk, `/?area=${COUNTY}${open}`, 'phone-project');
  await shoot(phoneClerk, '/todo', 'phone-todo', (page) =>
    page.locator('[data-project]').first().waitFor(),
  );
} finally {
  await browser.close();
}
