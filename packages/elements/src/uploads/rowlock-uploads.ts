/**
 * `<rowlock-uploads>`: the files of a queue that are on their way, for pages that choose files elsewhere. It shows the
 * queue of its property and is hidden while there is nothing to show.
 */
import { ElementBase } from '../element-base.ts';
import { UploadList } from './upload-list.ts';
import type { UploadQueue } from './upload-queue.ts';
import { uploadStyle } from './upload-style.ts';

export class RowlockUploads extends ElementBase {
  protected readonly styleText: string = uploadStyle;
  #queue: UploadQueue | undefined;

  get queue(): UploadQueue | undefined {
    return this.#queue;
  }

  set queue(queue: UploadQueue | undefined) {
    this.#queue = queue;
    this.restart();
  }

  protected override draw(): void {
    this.hidden = true;
  }

  protected override enter(signal: AbortSignal): void {
    const queue = this.#queue;
    this.hidden = true;
    if (queue === undefined || this.shadowRoot === null) {
      return;
    }
    this.shadowRoot.replaceChildren(new UploadList(queue, signal).element);
    const follow = (): void => {
      this.hidden = queue.size === 0;
    };
    queue.listen(follow, signal);
    follow();
  }
}
