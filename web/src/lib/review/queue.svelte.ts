/** The reviewer's queue: what is listed, what is selected, what a batch said of each row. */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import {
  api,
  asApiError,
  explain,
  newKey,
  type PendingPage,
  type PendingReport,
  type ReviewOutcome,
} from '$lib/api';
import { pick } from '$lib/i18n';
import { Pages } from '$lib/ledger/pages.svelte';
import { t } from './queue.messages';

const PAGE = 50;
/** The server takes so many at a time; the rest stays selected. */
const MOST = 100;

export class Queue {
  readonly list = new Pages<PendingReport, PendingPage>();
  readonly picked = new SvelteSet<string>();
  /** Why the last batch did not take a row. */
  readonly problems = new SvelteMap<string, string>();
  busy = $state(false);
  message = $state('');
  failure = $state('');
  /** In the order of the list. */
  chosen = $derived(this.list.items.filter((report) => this.picked.has(report.id)));
  // One key for one intention: pressing again after a lost answer is the same request.
  #key = newKey();

  open(): void {
    void this.list.open((cursor, signal) => api.pendingReports({ cursor, limit: PAGE }, signal));
  }

  /** What somebody else has reviewed can no longer be selected. */
  forgetGone(): void {
    const here = new Set(this.list.items.map((report) => report.id));
    for (const id of [...this.picked]) if (!here.has(id)) this.picked.delete(id);
  }

  toggle(report: PendingReport): void {
    this.#key = newKey();
    if (!this.picked.delete(report.id)) this.picked.add(report.id);
  }

  toggleAll(): void {
    this.#key = newKey();
    if (this.chosen.length === this.list.items.length) this.picked.clear();
    else for (const report of this.list.items) this.picked.add(report.id);
  }

  async decide(outcome: ReviewOutcome, reason = ''): Promise<void> {
    if (this.busy || this.chosen.length === 0) return;
    this.busy = true;
    this.failure = this.message = '';
    this.problems.clear();
    try {
      const answer = await api.reviewAll(
        {
          outcome,
          ...(reason ? { reason } : {}),
          reports: this.chosen
            .slice(0, MOST)
            .map((report) => ({ id: report.id, version: report.project.version })),
        },
        this.#key,
      );
      this.#key = newKey();
      for (const row of answer.results) {
        this.picked.delete(row.id);
        const why = row.problem;
        if (why) this.problems.set(row.id, pick(why.detail, why.detail_en));
      }
      this.message = [
        t(outcome === 'approved' ? 'doneApproved' : 'doneReturned', { n: answer.done }),
        answer.refused > 0 ? t('refused', { n: answer.refused }) : '',
      ].join('');
      await this.list.refresh();
    } catch (error) {
      const failed = asApiError(error);
      if (!failed.retryable) this.#key = newKey();
      this.failure = t('failed', { reason: explain(failed) });
    } finally {
      this.busy = false;
    }
  }
}
