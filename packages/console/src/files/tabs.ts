/** Panels of which one is shown, as the ARIA practices for tabs have it. A panel is made when it is first shown. */
import { button, element } from '../element.ts';

export interface Panel {
  readonly label: string;
  readonly make: () => HTMLElement;
}

let count = 0;

/** Makes the tabs with the first panel shown. */
export function tabs(label: string, panels: readonly Panel[]): HTMLElement {
  count += 1;
  const group = count;
  const shown = element('div', { class: 'panel', role: 'tabpanel', id: `panel-${group}`, tabindex: '0' });
  const made = new Map<Panel, HTMLElement>();
  const show = (panel: Panel, tab: HTMLButtonElement): void => {
    const content = made.get(panel) ?? panel.make();
    made.set(panel, content);
    for (const each of all) {
      each.setAttribute('aria-selected', String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
    }
    shown.setAttribute('aria-labelledby', tab.id);
    shown.replaceChildren(content);
  };
  const all = panels.map((panel, place) => {
    const tab = button({ class: 'tab', press: (pressed) => show(panel, pressed) }, panel.label);
    tab.setAttribute('role', 'tab');
    tab.id = `tab-${group}-${place}`;
    tab.setAttribute('aria-controls', shown.id);
    return tab;
  });
  const list = element('div', { class: 'tabs', role: 'tablist', 'aria-label': label }, ...all);
  list.addEventListener('keydown', (event) => {
    const place = all.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key as 'ArrowRight' | 'ArrowLeft'];
    const next = step === undefined ? undefined : all[(place + step + all.length) % all.length];
    if (next !== undefined) {
      event.preventDefault();
      next.focus();
      next.click();
    }
  });
  const [first] = all;
  const [panel] = panels;
  if (first !== undefined && panel !== undefined) {
    show(panel, first);
  }
  return element('div', { class: 'tabbed' }, list, shown);
}
