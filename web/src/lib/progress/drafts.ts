/**
 * Drafts of reports, kept on this device as typed, one per account and project. localStorage
 * rather than a database: a draft is a few hundred bytes, and a synchronous write is done even
 * when the page is closed in the same moment.
 */

export interface Draft {
  effectiveOn: string;
  /** As typed, by item: what is wrong is kept too. */
  items: Record<string, string>;
  invested: string;
  paid: string;
  note: string;
  /** Version of the project that the clerk had before her. */
  version: number;
  /** Key of the write: stays the same until the content changes or it is accepted. */
  key: string;
  savedAt: string;
  /** Pressed "submit" while there was no network: to be sent when it is back. */
  queued: boolean;
  /** The returned report that this one corrects. */
  corrects?: string;
}

export interface DraftStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const PREFIX = 'cuntong.draft';
const name = (account: string, project: string): string => `${PREFIX}.${account}.${project}`;

function isDraft(value: unknown): value is Draft {
  return (
    typeof value === 'object' &&
    value !== null &&
    'items' in value &&
    typeof value.items === 'object' &&
    'effectiveOn' in value &&
    typeof value.effectiveOn === 'string' &&
    'key' in value &&
    typeof value.key === 'string' &&
    'version' in value &&
    typeof value.version === 'number'
  );
}

function storage(): DraftStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export function readDraft(account: string, project: string, from = storage()): Draft | null {
  const text = from?.getItem(name(account, project));
  if (!text) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isDraft(value) ? value : null;
  } catch {
    return null;
  }
}

/** Returns whether it is really kept: a full or forbidden storage must not show 已存. */
export function saveDraft(account: string, project: string, draft: Draft, to = storage()): boolean {
  if (!to) return false;
  try {
    to.setItem(name(account, project), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

export function dropDraft(account: string, project: string, from = storage()): void {
  from?.removeItem(name(account, project));
}

/** Projects with a draft of this account. */
export function draftedProjects(account: string, from = storage()): string[] {
  const prefix = name(account, '');
  const found: string[] = [];
  for (let i = 0; from && i < from.length; i += 1) {
    const key = from.key(i);
    if (key?.startsWith(prefix)) found.push(key.slice(prefix.length));
  }
  return found;
}

export function wipeDrafts(account: string, from = storage()): void {
  for (const project of draftedProjects(account, from)) dropDraft(account, project, from);
}
