/** Plain tables with a bar in each line, as long as the line's share of the largest. They sort nothing and ask nobody. */
import { type Child, element } from '../element.ts';

export interface AmountRow {
  readonly name: Child;
  /** 0 to 1: how long the bar is. */
  readonly share: number;
  /** One for each column behind the name. */
  readonly cells: readonly Child[];
  readonly level?: 'broken' | 'watch' | undefined;
}

/** Makes a table; the caption says what it is about. */
export function amountTable(caption: string, columns: readonly string[], rows: readonly AmountRow[]): HTMLElement {
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)));
  return element(
    'div',
    // It scrolls sideways where there is no room, which keys must reach too.
    { class: 'table-frame', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      { class: 'amounts' },
      element('caption', {}, caption),
      element('thead', {}, head),
      element('tbody', {}, ...rows.map(amountRow)),
    ),
  );
}

function amountRow({ name, share, cells, level }: AmountRow): HTMLElement {
  const bar = element('span', { class: level === undefined ? 'bar' : `bar ${level}`, 'aria-hidden': 'true' });
  bar.style.width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('span', { class: 'amount-name' }, name), bar),
    ...cells.map((cell) => element('td', {}, cell)),
  );
}
