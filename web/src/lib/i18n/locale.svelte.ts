/** The language of the page. Chinese first; the choice is kept on this device. */
export type Locale = 'zh' | 'en';

const STORED = 'cuntong.locale';

function stored(): Locale {
  try {
    return localStorage.getItem(STORED) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh';
  }
}

let current = $state<Locale>(stored());

/** Fonts and screen readers choose by the language of the document. Unit tests have none. */
function mark(next: Locale): void {
  if (typeof document === 'undefined') return;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}
mark(stored());

export const locale = {
  get current(): Locale {
    return current;
  },
  set(next: Locale): void {
    current = next;
    mark(next);
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // Storage may be forbidden: the choice then lasts for this page.
    }
  },
};
