/**
 * The one line that says what just happened: shown for a while, and read aloud without taking the focus. While a dialog
 * is open the line is inside of it, because nothing outside can be heard.
 */
import { byId } from './element.ts';

const shownForMs = 5000;

let hiding: ReturnType<typeof setTimeout> | undefined;

/** Says a sentence; the next one takes its place. What the page shows elsewhere is said and not shown. */
export function announce(sentence: string, { visible = true }: { readonly visible?: boolean } = {}): void {
  const line = byId('status');
  const host = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (line.parentElement !== host) {
    host.append(line);
  }
  line.textContent = sentence;
  line.classList.toggle('shown', visible);
  clearTimeout(hiding);
  hiding = setTimeout(() => line.classList.remove('shown'), shownForMs);
}

/** Takes the line out of a dialog that goes away. */
export function keepStatusLine(dialog: HTMLElement): void {
  const line = byId('status');
  if (dialog.contains(line)) {
    document.body.append(line);
  }
}
