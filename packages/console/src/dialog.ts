/**
 * Dialogs: one at a time, over the page, closed by Escape, with the focus back where it was afterwards. What they ask
 * is for whoever opens them.
 */
import { button, type Child, element } from './element.ts';
import { keepStatusLine } from './status-line.ts';

export interface OpenDialog {
  readonly dialog: HTMLDialogElement;
  /** Resolves with true when it was closed by `close(true)`, with false however else. */
  readonly closed: Promise<boolean>;
  close(agreed: boolean): void;
}

let count = 0;

/** Opens a dialog with a title; it leaves the page when it is closed, or when the signal ends its view. */
export function openDialog(title: Child, signal: AbortSignal, ...children: readonly Child[]): OpenDialog {
  count += 1;
  const id = `dialog-${count}`;
  const heading = element('h2', { id }, title);
  const dialog = element('dialog', { 'aria-labelledby': id }, heading, ...children);
  const close = (agreed: boolean): void => dialog.close(agreed ? 'agreed' : '');
  const closed = new Promise<boolean>((resolve) => {
    dialog.addEventListener('close', () => {
      keepStatusLine(dialog);
      dialog.remove();
      resolve(dialog.returnValue === 'agreed');
    });
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) {
      close(false);
    }
  });
  signal.addEventListener('abort', () => close(false), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, closed, close };
}

/** Asks before something that cannot be undone. The focus begins on the answer that does nothing. */
export function confirmRemoval(
  question: { readonly title: Child; readonly text: Child; readonly action: string },
  signal: AbortSignal,
): Promise<boolean> {
  const cancel = button({ press: () => opened.close(false) }, 'Cancel');
  const remove = button({ class: 'danger', press: () => opened.close(true) }, question.action);
  const actions = element('div', { class: 'dialog-actions' }, cancel, remove);
  const opened = openDialog(question.title, signal, element('p', {}, question.text), actions);
  cancel.focus();
  return opened.closed;
}
