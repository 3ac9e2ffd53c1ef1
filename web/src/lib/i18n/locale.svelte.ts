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

export const locale = {
  get current(): Locale {
    return current;
  },
  set(next: Locale): void {
    current = next;
    document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // Storage may be forbidden: the choice then lasts for this page.
    }
  },
};
