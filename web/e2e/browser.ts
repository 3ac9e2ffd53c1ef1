// A real browser that can reach nothing but the server under test, and remembers what went wrong.
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

export const BASE = process.env.CUNTONG_URL ?? 'http://127.0.0.1:8080';

const FLAGS = [
  '--no-sandbox',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  // Any other host is not found: a page that needs one fails here, not in a county's network.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function openBrowser(extra: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...FLAGS, ...extra],
  });
}

/** One person at one screen: a browser context of their own. */
export interface Person {
  context: BrowserContext;
  page: Page;
  /** Hosts that anything on the page asked. */
  hosts: Set<string>;
  /** Errors, and breaches of the Content-Security-Policy, that the console reported. */
  complaints: string[];
  /** Every tile that was fetched, in order. */
  tiles: string[];
}

export async function arrive(browser: Browser, phone = false): Promise<Person> {
  const context = await browser.newContext({
    viewport: phone ? PHONE : DESK,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
    ...(phone ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const person: Person = { context, page, hosts: new Set(), complaints: [], tiles: [] };
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http')) person.hosts.add(url.host);
    if (url.pathname.startsWith('/tiles/')) person.tiles.push(url.pathname + url.search);
  });
  page.on('pageerror', (error) => person.complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    const csp = /Content.Security.Policy/i.test(text);
    if (csp || message.type() === 'error') person.complaints.push(text);
  });
  return person;
}

/** Signs in through the form, as people do. */
export async function signIn(person: Person, login: string): Promise<void> {
  const { page } = person;
  await page.goto(`${BASE}/signin`);
  await page.getByLabel('账号', { exact: true }).fill(login);
  await page.getByLabel('密码', { exact: true }).fill('cuntong-2020');
  await page.getByRole('button', { name: '登录', exact: true }).last().click();
  // Everybody begins where her work is: a clerk and a reviewer at their lists, others at the map.
  await page.locator('[data-testid=map], [data-testid=todo], [data-testid=review]').waitFor();
}

/** Asks the API as this person would. */
export async function ask<T>(person: Person, path: string): Promise<T> {
  const response = await person.context.request.get(`${BASE}/api/v1${path}`);
  if (!response.ok()) throw new Error(`${path}: ${response.status()} ${await response.text()}`);
  return (await response.json()) as T;
}
