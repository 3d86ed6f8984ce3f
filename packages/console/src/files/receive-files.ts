/** Takes files that are dropped anywhere on the page, or pasted. What becomes of them is for whoever asked. */
import { droppedFiles, type NamedFile, pastedFiles } from '@rowlock/elements';
import { announce } from '../status-line.ts';

/** Listens until the signal; the view shows when something would be taken. */
export function receiveFiles(
  view: HTMLElement,
  signal: AbortSignal,
  upload: (files: readonly NamedFile[]) => void,
): void {
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  const over = (event: DragEvent): void => {
    if (hasFiles(event)) {
      event.preventDefault();
      view.classList.add('drop-target');
    }
  };
  const leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) {
      view.classList.remove('drop-target');
    }
  };
  const drop = (event: DragEvent): void => {
    view.classList.remove('drop-target');
    if (hasFiles(event) && event.dataTransfer !== null) {
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then(upload, () => announce('What was dropped cannot be read.'));
    }
  };
  const paste = (event: ClipboardEvent): void => {
    if (event.clipboardData !== null) {
      upload(pastedFiles(event.clipboardData));
    }
  };
  document.addEventListener('dragover', over, { signal });
  document.addEventListener('dragleave', leave, { signal });
  document.addEventListener('drop', drop, { signal });
  document.addEventListener('paste', paste, { signal });
}
