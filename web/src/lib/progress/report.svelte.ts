/** The state of one open report form: what is typed, saved, sent, refused. */
import {
  api,
  asApiError,
  newKey,
  type ApiError,
  type Project,
  type Report,
  type ReportReceipt,
} from '$lib/api';
import { wanExact } from '$lib/i18n';
import { programme } from '$lib/view/programme.svelte';
import { dropDraft, readDraft, saveDraft, type Draft } from './drafts';
import { evaluate, plainNumber, toCorrect, typedBefore, type Typed } from './form';

type Phase = 'typing' | 'sending' | 'queued' | 'stale' | 'sent';

export class ReportForm {
  project: Project = $state.raw({} as Project);
  typed: Typed = $state({ effectiveOn: '', items: {}, invested: '', paid: '', note: '' });
  phase = $state<Phase>('typing');
  savedAt = $state<string | null>(null);
  saveFailed = $state(false);
  error = $state.raw<ApiError | null>(null);
  receipt = $state.raw<ReportReceipt | null>(null);
  /** Faults are shown once a field was left or the form was pressed, not while typing. */
  touched = $state<Record<string, boolean>>({});
  outcome = $derived(
    evaluate(this.project, this.typed, programme().business_date, programme().thresholds),
  );
  /** The returned report that this one corrects. */
  returned: Report | null = $state.raw(null);
  readonly #account: string;
  #version: number;
  #key: string;

  constructor(project: Project, account: string) {
    this.#account = account;
    this.project = project;
    const draft = readDraft(account, project.id);
    const returned = toCorrect(project);
    this.returned = returned;
    this.#version = draft?.version ?? project.version;
    this.#key = draft?.key ?? newKey();
    this.savedAt = draft?.savedAt ?? null;
    const usual: Typed = returned
      ? typedBefore(project, returned)
      : {
          effectiveOn: programme().business_date,
          items: Object.fromEntries(
            project.quantities.map((q) => [q.item, plainNumber(q.done, q.decimals)]),
          ),
          invested: wanExact(project.invested_yuan),
          paid: wanExact(project.paid_yuan),
          note: '',
        };
    this.typed = {
      effectiveOn: draft?.effectiveOn ?? usual.effectiveOn,
      items: { ...usual.items, ...draft?.items },
      invested: draft?.invested ?? usual.invested,
      paid: draft?.paid ?? usual.paid,
      note: draft?.note ?? usual.note,
    };
    if (draft?.queued) this.phase = 'queued';
  }

  get faults(): number {
    return Object.keys(this.outcome.faults).length;
  }

  /** Called on every key: nothing typed is ever lost. */
  changed(): void {
    // Another content is another write; the same key with another body would be refused.
    this.#key = newKey();
    if (this.phase === 'queued') this.phase = 'typing';
    this.error = null;
    this.#save(false);
  }

  setItem(item: string, value: string): void {
    this.typed.items[item] = value;
    this.changed();
  }

  discard(): void {
    dropDraft(this.#account, this.project.id);
  }

  async submit(): Promise<void> {
    for (const q of this.project.quantities) this.touched[`items.${q.item}`] = true;
    for (const field of ['effective_on', 'invested_yuan', 'paid_yuan']) this.touched[field] = true;
    if (!this.outcome.ready || this.phase === 'sending') return;
    this.phase = 'sending';
    this.error = null;
    try {
      const corrects = this.returned ? { corrects: this.returned.id } : {};
      this.receipt = await api.report(
        this.project.id,
        { ...this.outcome.body, ...corrects },
        {
          version: this.#version,
          key: this.#key,
        },
      );
      dropDraft(this.#account, this.project.id);
      this.phase = 'sent';
    } catch (error) {
      const failure = asApiError(error);
      this.error = failure;
      if (failure.kind === 'offline') {
        this.#save(true);
        this.phase = 'queued';
      } else if (failure.kind === 'stale') {
        await this.#newest();
        this.phase = 'stale';
      } else {
        this.phase = 'typing';
      }
    }
  }

  /** After a look at what changed: the same figures, written on the newest version. */
  async resubmit(): Promise<void> {
    this.#version = this.project.version;
    this.#key = newKey();
    this.phase = 'typing';
    this.#save(false);
    await this.submit();
  }

  keepTyping(): void {
    this.#version = this.project.version;
    this.#key = newKey();
    this.phase = 'typing';
    this.error = null;
    this.#save(false);
  }

  /** The newest project; the typed values stay, the rules are held against the new figures. */
  async #newest(): Promise<void> {
    try {
      this.project = await api.project(this.project.id);
      // Somebody may have corrected it meanwhile, or this report came back while it was typed.
      this.returned = toCorrect(this.project);
    } catch {
      // The comparison that the refusal carried is enough to decide.
    }
  }

  #save(queued: boolean): void {
    const draft: Draft = {
      ...$state.snapshot(this.typed),
      version: this.#version,
      key: this.#key,
      savedAt: new Date().toISOString(),
      queued,
      ...(this.returned ? { corrects: this.returned.id } : {}),
    };
    this.saveFailed = !saveDraft(this.#account, this.project.id, draft);
    this.savedAt = this.saveFailed ? null : draft.savedAt;
  }
}
