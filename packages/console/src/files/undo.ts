/**
 * The offer to take back what was just done: a line with a button, and Ctrl+Z wherever no text is being written. There is
 * one at a time; it goes away by itself, but not while somebody is at it.
 */
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';

const offeredForMs = 20_000;

let withdraw: (() => void) | undefined;

/** Says what was done and offers to undo it. */
export function offerUndo(context: ViewContext, sentence: string, undo: () => Promise<void>): void {
  withdraw?.();
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    line.remove();
    clearTimeout(timer);
    context.signal.removeEventListener('abort', end);
  };
  const take = (): void => {
    end();
    void attempt(context, undo);
  };
  const press = button({ press: take }, icon('retry'), 'Undo');
  const close = button({ class: 'quiet', label: 'Keep it so', press: () => end() }, icon('close'));
  const line = element('div', { class: 'undo', role: 'group', 'aria-label': 'What was done' });
  line.append(element('span', {}, sentence), press, close);
  const later = (): ReturnType<typeof setTimeout> =>
    setTimeout(() => (line.matches(':hover, :focus-within') ? again() : end()), offeredForMs);
  const again = (): void => {
    timer = later();
  };
  let timer = later();
  document.addEventListener('keydown', (event) => (isUndo(event) ? take() : undefined), { signal: ending.signal });
  context.signal.addEventListener('abort', end, { once: true });
  document.body.append(line);
  withdraw = end;
  announce(`${sentence} Control Z takes it back.`, { visible: false });
}

function isUndo({ key, ctrlKey, metaKey, shiftKey, target }: KeyboardEvent): boolean {
  const isWriting =
    target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'checkbox');
  return key.toLowerCase() === 'z' && (ctrlKey || metaKey) && !shiftKey && !isWriting;
}
