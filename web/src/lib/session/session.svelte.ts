/** Who is here. The cookie is the server's; this only knows the account and the CSRF token. */
import { api, client, type Account, type Sector, type Session } from '$lib/api';
import { locale } from '$lib/i18n';
import { reconnectLive } from '$lib/live';
import { wipeDrafts } from '$lib/progress/drafts';
import { flush, startOutbox } from '$lib/progress/outbox.svelte';
import type { Page } from '$lib/view/url';

class SessionStore {
  account = $state.raw<Account | null>(null);
  /** False until the server has been asked once: before that a visitor is not yet a visitor. */
  known = $state(false);
  /** The session ended under the reader's hands (expired, revoked). */
  expired = $state(false);
}

export const session = new SessionStore();

function accept(answer: Session): void {
  client.setCsrf(answer.csrf_token);
  if (session.known && session.account?.id !== answer.account?.id) reconnectLive();
  session.account = answer.account;
  session.known = true;
  // Reports that waited for a network, or for their writer to sign in again.
  if (answer.account) void flush(answer.account.id);
}

export async function loadSession(): Promise<void> {
  client.whenSignedOut(() => {
    if (session.account) session.expired = true;
    session.account = null;
  });
  startOutbox(() => session.account?.id ?? null);
  try {
    accept(await api.session());
  } catch {
    session.known = true;
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  accept(await api.signIn(login.trim(), password));
  session.expired = false;
}

/** Ends the session here and on the server. Drafts on this device go with it. */
export async function signOut(): Promise<void> {
  const account = session.account;
  await api.signOut();
  if (account) wipeDrafts(account.id);
  session.account = null;
  reconnectLive();
  // A new token for the sign-in form that comes next.
  accept(await api.session());
}

export function roles(): string[] {
  return [...new Set(session.account?.grants.map((grant) => grant.role) ?? [])];
}

export function hasRole(role: string): boolean {
  return roles().includes(role);
}

/** May this person do it at all? Where and for which sector the server decides, with a reason. */
export function can(capability: string, sector?: Sector): boolean {
  return (session.account?.grants ?? []).some(
    (grant) =>
      grant.capabilities.includes(capability) &&
      (sector === undefined || grant.sectors === null || grant.sectors.includes(sector)),
  );
}

/** The area that the person works in: where the page opens. */
export function homeArea(): string | null {
  return session.account?.grants[0]?.area.code ?? null;
}

/** Where a person's day begins: with what waits for her, or else with the map. */
export function landing(): Page {
  if (can('report_progress')) return 'todo';
  return can('review_report') ? 'review' : 'map';
}

export function useLanguage(next: 'zh' | 'en'): void {
  locale.set(next);
  client.setLanguage(next);
}
