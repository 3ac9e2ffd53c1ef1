// Links inside the page change the view without loading the page anew.
import { openUrl } from '$lib/view/view.svelte';

/** For `onclick` of an `<a>`: leaves new tabs, downloads and other hosts to the browser. */
export function onLink(event: MouseEvent): void {
  const link = event.currentTarget;
  if (!(link instanceof HTMLAnchorElement) || link.origin !== location.origin) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  openUrl(link.href);
}
