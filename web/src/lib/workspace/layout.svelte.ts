// Which of the two layouts stands: desk (rail, map, drawer) or phone (map, sheets).
const phone = matchMedia('(max-width: 760px)');

class Layout {
  phone = $state(phone.matches);
  /** Phone: the sheet with topic and filters. */
  filtersOpen = $state(false);
  /** Phone: how far the sheet of the drawer is up. */
  sheet = $state<'peek' | 'half' | 'full'>('peek');
}

export const layout = new Layout();
phone.addEventListener('change', () => (layout.phone = phone.matches));
