/**
 * Downloads folders as ZIP archives. The request carries the key, so that the page has to make it: where the browser lets a
 * page write a file the archive goes straight to the disk, and elsewhere it is in memory until it is whole.
 */
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { objectPath } from './object-calls.ts';
import { lastPart } from './object-name.ts';

/** Names that one request takes. */
const chosenMax = 1000;

export interface FolderAddress {
  readonly bucket: string;
  /** Ends in a slash; empty for the whole bucket. */
  readonly prefix: string;
}

interface SavedFile {
  createWritable(): Promise<WritableStream<Uint8Array>>;
}

/** What Chromium has and the types of browsers do not know. */
interface SavingWindow {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<SavedFile>;
}

/** The pictogram that downloads a folder. */
export function zipButton(context: ViewContext, folder: FolderAddress, label: string): HTMLButtonElement {
  const press = (pressed: HTMLButtonElement): void => void downloadFolder(context, folder, pressed);
  return button({ class: 'quiet', label, press }, icon('download'));
}

/** Downloads everything below a prefix. The button rests meanwhile. */
export async function downloadFolder(
  context: ViewContext,
  { bucket, prefix }: FolderAddress,
  pressed: HTMLButtonElement,
): Promise<void> {
  const bare = prefix.slice(0, -1);
  const path =
    bare === '' ? `/storage/v1/object/zip/${encodeURIComponent(bucket)}` : objectPath('object/zip', bucket, bare);
  const file = `${bare === '' ? bucket : lastPart(bare)}.zip`;
  await saveArchive(context, file, pressed, () => context.client.send({ method: 'GET', path }));
}

/** Downloads some files and folders of a bucket together. */
export async function downloadChosen(
  context: ViewContext,
  chosen: { readonly bucket: string; readonly files: readonly string[]; readonly folders: readonly string[] },
  pressed: HTMLButtonElement,
): Promise<void> {
  if (Math.max(chosen.files.length, chosen.folders.length) > chosenMax) {
    announce(`At most ${chosenMax.toLocaleString('en')} files at a time: download the folder instead.`);
    return;
  }
  const path = `/storage/v1/object/zip/${encodeURIComponent(chosen.bucket)}`;
  const json = { names: chosen.files, folders: chosen.folders };
  await saveArchive(context, `${chosen.bucket}.zip`, pressed, () =>
    context.client.send({ method: 'POST', path, json }),
  );
}

async function saveArchive(
  context: ViewContext,
  file: string,
  pressed: HTMLButtonElement,
  ask: () => Promise<Response>,
): Promise<void> {
  pressed.disabled = true;
  const work = async (): Promise<void> => {
    const target = await chooseTarget(file);
    if (target === 'nowhere') {
      return;
    }
    announce(`${file} is being made.`);
    const isWhole = await receive(await ask(), file, target);
    announce(isWhole ? `${file} is downloaded.` : 'The archive broke off. Try again.');
  };
  try {
    await attempt(context, work);
  } finally {
    pressed.disabled = false;
  }
}

/** Whether the archive came whole and was written. */
async function receive(answer: Response, file: string, target: SavedFile | undefined): Promise<boolean> {
  try {
    if (target !== undefined && answer.body !== null) {
      await answer.body.pipeTo(await target.createWritable());
    } else {
      saveBlob(await answer.blob(), file);
    }
    return true;
  } catch {
    return false; // What of it was written, the browser removes.
  }
}

/** Where to write, `nowhere` where nobody chose, and undefined where the browser does not ask. */
async function chooseTarget(file: string): Promise<SavedFile | 'nowhere' | undefined> {
  const { showSaveFilePicker } = window as SavingWindow;
  if (showSaveFilePicker === undefined) {
    return undefined;
  }
  try {
    return await showSaveFilePicker.call(window, { suggestedName: file });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      return 'nowhere';
    }
    return undefined; // Not allowed here: in a frame, or without a click.
  }
}

function saveBlob(blob: Blob, file: string): void {
  const url = URL.createObjectURL(blob);
  element('a', { href: url, download: file }).click();
  // The browser has begun to read it by then; before, it would save nothing.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
