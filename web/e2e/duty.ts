// 我的待办 and 待审核 in the words of those who work with them.
import type { Locator, Page } from 'playwright-core';
import { BASE } from './browser';

/** Counts what a hand does: the promise is two clicks to a sent report. */
export class Hand {
  clicks = 0;
  async click(what: Locator): Promise<void> {
    this.clicks += 1;
    await what.click();
  }
}

export class TodoList {
  constructor(readonly page: Page) {}

  async open(): Promise<void> {
    await this.page.goto(`${BASE}/todo`);
    await this.row().first().waitFor();
  }

  /** The rows of a group, or all. */
  row(group?: string): Locator {
    const section = group
      ? this.page.locator('section', { has: this.page.getByRole('heading', { name: group }) })
      : this.page;
    return section.locator('[data-project]');
  }

  of(project: string): Locator {
    return this.page.locator(`[data-project="${project}"]`);
  }

  get submit(): Locator {
    return this.page.getByRole('button', { name: /^提交/ });
  }

  async count(group: string): Promise<number> {
    return Number(await this.page.getByTestId(`count-${group}`).locator('b').innerText());
  }
}

export class ReviewQueue {
  constructor(readonly page: Page) {}

  async open(): Promise<void> {
    await this.page.goto(`${BASE}/review`);
    await this.row().first().waitFor();
  }

  row(project?: string): Locator {
    const rows = this.page.locator('[data-report]');
    return project ? rows.filter({ hasText: project }) : rows;
  }
}
