/** What can be done with what is chosen, and how much that is. It is above the list, and stays in sight when that scrolls. */
import { button, element } from '../element.ts';
import { type IconName, icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { type Chosen, chosenOf } from './chosen.ts';
import { copyAs } from './copy-as-dialog.ts';
import { deleteChosen } from './deletion.ts';
import type { FolderList } from './folder-list.ts';
import { relocate } from './relocation-dialog.ts';
import { downloadChosen } from './zip-download.ts';

export interface SelectionBar {
  readonly element: HTMLElement;
  /** Shows what is chosen now. */
  refresh(): void;
  /** Deletes what is chosen, or the row with the focus. */
  remove(): void;
}

/** Makes the bar of a list; it is hidden while nothing is chosen. */
export function selectionBar(
  context: ViewContext,
  list: () => FolderList,
  folder: { readonly bucket: string; readonly prefix: string },
): SelectionBar {
  const words = element('strong', { class: 'selection-count' });
  const changed = (): void => {
    list().clear();
    void list().load();
  };
  const withChosen = (work: (chosen: Chosen) => Promise<void>): void =>
    void attempt(context, async () => {
      const entries = await list().chosen();
      if (entries.length > 0) {
        await work(chosenOf(folder.bucket, folder.prefix, entries));
      }
    });
  const remove = (): void => withChosen((chosen) => deleteChosen(context, chosen, changed));
  const make = (pictogram: IconName, word: string, press: (pressed: HTMLButtonElement) => void): HTMLButtonElement =>
    button({ press }, icon(pictogram), element('span', { class: 'word' }, word));
  const bar = element(
    'div',
    { class: 'selection-bar', role: 'toolbar', 'aria-label': 'What is chosen', hidden: true },
    words,
    button({ class: 'quiet', press: () => list().chooseAll() }, 'Choose all'),
    element('span', { class: 'gap' }),
    make('download', 'Download ZIP', (pressed) => withChosen((chosen) => downloadChosen(context, chosen, pressed))),
    make('folder', 'Move', () => withChosen((chosen) => relocate(context, 'move', chosen, changed))),
    make('copy', 'Copy', () => withChosen((chosen) => relocate(context, 'copy', chosen, changed))),
    make('code', 'Copy as', () => withChosen((chosen) => copyAs(context, chosen))),
    make('trash', 'Delete', remove),
    button({ class: 'quiet', label: 'Choose nothing', press: () => list().clear() }, icon('close')),
  );
  const refresh = (): void => {
    const count = list().chosenCount;
    if (!bar.hidden || count > 0) {
      const said = `${count.toLocaleString('en')} chosen`;
      announceIfOther(words.textContent ?? '', said);
      words.textContent = said;
    }
    bar.hidden = count === 0;
  };
  return { element: bar, refresh, remove };
}

function announceIfOther(before: string, now: string): void {
  if (before !== now) {
    announce(now, { visible: false });
  }
}
