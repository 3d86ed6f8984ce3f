/**
 * The field that takes files: native file inputs that have the focus and the keys, drops of files and folders on the
 * element, pastes anywhere on its page, and the camera of a phone. It hands files on and keeps none.
 */
import { element } from '../page/element.ts';
import { type IconName, icon } from '../page/icon.ts';
import { chosenFiles, droppedFiles, type NamedFile, pastedFiles } from './dropped-files.ts';

export interface FieldOptions {
  readonly multiple: boolean;
  readonly directory: boolean;
  readonly accept: string;
  /** Which camera takes a photo, `user` or `environment`; null for none. */
  readonly capture: string | null;
}

/** The hosts on this page: where there is one, a paste anywhere is for it. */
const hosts = new Set<HTMLElement>();

export class FileField {
  readonly element: HTMLElement = element('div', { class: 'take' }, icon('upload'));
  readonly #inputs: HTMLInputElement[] = [];
  readonly #take: (files: readonly NamedFile[]) => void;
  readonly #words: HTMLElement;
  #isDisabled = false;

  /** Takes files until the signal ends. */
  constructor(
    host: HTMLElement,
    options: FieldOptions,
    signal: AbortSignal,
    take: (files: readonly NamedFile[]) => void,
  ) {
    this.#take = (files) => !this.#isDisabled && take(files);
    const { multiple, directory, accept, capture } = options;
    const words = multiple ? 'Choose files' : 'Choose a file';
    const choices = element('div', { class: 'choices' });
    choices.append(this.#choice(words, 'file', { multiple, accept }, 'primary'));
    if (directory) {
      choices.append(this.#choice('Choose a folder', 'folder', { webkitdirectory: true }));
    }
    if (capture !== null && matchMedia('(pointer: coarse)').matches) {
      const image = accept === '' ? 'image/*' : accept;
      choices.append(this.#choice('Take a photo', 'camera', { capture: capture || 'environment', accept: image }));
    }
    this.#words = element('p', { class: 'hint' }, multiple ? 'or drop or paste them here' : 'or drop or paste it here');
    this.element.append(choices, this.#words);
    this.#receive(host, signal);
  }

  /** Offers only these types in the dialog of the system. */
  accept(types: string): void {
    for (const input of this.#inputs) {
      if (!input.hasAttribute('capture') && !input.hasAttribute('webkitdirectory')) {
        input.accept = types;
      }
    }
  }

  /** Takes nothing any more, and says why. */
  disable(why: string): void {
    this.#isDisabled = true;
    this.#words.textContent = why;
    for (const input of this.#inputs) {
      input.disabled = true;
    }
  }

  #choice(words: string, pictogram: IconName, attributes: Record<string, string | boolean>, style = ''): HTMLElement {
    const id = `choice-${this.#inputs.length}`;
    const input = element('input', { type: 'file', id, 'aria-describedby': 'limits', ...attributes });
    input.addEventListener('change', () => {
      this.#take(chosenFiles(input.files ?? []));
      input.value = '';
    });
    this.#inputs.push(input);
    const label = element('label', { for: id, class: `button ${style}` }, icon(pictogram), words);
    return element('span', { class: 'file-button' }, input, label);
  }

  #receive(host: HTMLElement, signal: AbortSignal): void {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const over = (event: DragEvent): void => {
      if (hasFiles(event)) {
        event.preventDefault();
        this.element.classList.add('over');
      }
    };
    const leave = (): void => this.element.classList.remove('over');
    const drop = (event: DragEvent): void => {
      leave();
      if (hasFiles(event) && event.dataTransfer !== null) {
        event.preventDefault();
        void droppedFiles(event.dataTransfer).then(this.#take, () => this.#take([]));
      }
    };
    const paste = (event: ClipboardEvent): void => {
      const isMeant = hosts.size === 1 || event.composedPath().includes(host);
      if (isMeant && event.clipboardData !== null && event.clipboardData.files.length > 0) {
        this.#take(pastedFiles(event.clipboardData));
      }
    };
    hosts.add(host);
    signal.addEventListener('abort', () => hosts.delete(host));
    host.addEventListener('dragover', over, { signal });
    host.addEventListener('dragleave', leave, { signal });
    host.addEventListener('drop', drop, { signal });
    document.addEventListener('paste', paste, { signal });
  }
}
