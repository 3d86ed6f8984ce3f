/**
 * The uploads of this tab, whatever view is open: a frame around the list of our custom elements. It follows the queue
 * and decides nothing.
 */
import type { UploadQueue } from '@rowlock/elements';
import { element } from '../element.ts';

/** Keeps the tray filled with the queue's uploads until the signal ends. */
export function showUploads(tray: HTMLElement, queue: UploadQueue, signal: AbortSignal): void {
  const list = element('rowlock-uploads');
  list.queue = queue;
  tray.replaceChildren(list);
  queue.listen(() => {
    tray.hidden = queue.size === 0;
  }, signal);
  signal.addEventListener('abort', () => {
    tray.hidden = true;
    tray.replaceChildren();
  });
}
