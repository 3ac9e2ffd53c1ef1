/** Keyboard in the lists: arrows move from row to row, as in a spreadsheet. */
export function moveRow(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const at = event.target;
  if (!(at instanceof HTMLElement)) return;
  const row = at.closest('tr');
  const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling;
  const button = next?.querySelector<HTMLElement>('button.row');
  if (!button) return;
  event.preventDefault();
  button.focus();
  button.scrollIntoView({ block: 'nearest' });
}
