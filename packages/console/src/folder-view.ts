/** A folder of a bucket: where it is, what may be uploaded to it and by which ways, and its list. */
import { chosenFiles, droppedFiles, type NamedFile, pastedFiles } from './dropped-files.ts';
import { element } from './element.ts';
import { FolderList } from './folder-list.ts';
import { icon } from './icon.ts';
import { type Limits, limitsInWords } from './limits.ts';
import { addressOf, home, type Place, prefixOf } from './place.ts';
import { policyBadge } from './policy.ts';
import { announce } from './status-line.ts';
import { attempt, type ViewContext } from './view.ts';
import { visibleName } from './visible-name.ts';
import { filesInWords } from './wording.ts';

/** Makes the view of a place in a bucket and fills it. */
export function folderView(context: ViewContext, place: Place): HTMLElement {
  const { bucket = '' } = place;
  const title = place.folders.at(-1) ?? bucket;
  const heading = element('h1', { tabindex: '-1' }, visibleName(title));
  const facts = element('p', { class: 'limits', id: 'limits' });
  const input = element('input', { type: 'file', id: 'files', multiple: true, 'aria-describedby': 'limits' });
  const list = new FolderList(context, place, () => heading.focus());
  let limits: Limits = { file_size_limit: null, allowed_mime_types: null };
  const upload = (files: readonly NamedFile[]): void => {
    if (files.length > 0) {
      const named = files.map(({ name, file }) => ({ name: prefixOf(place) + name, file }));
      announce(`Uploading ${filesInWords(files.length)}.`, { visible: false });
      context.uploads.add(bucket, limits, named);
    }
  };
  input.addEventListener('change', () => {
    upload(chosenFiles(input.files ?? []));
    input.value = '';
  });
  const head = element('header', { class: 'view-head' }, heading, filterField(list), uploadButton(input));
  const showBucket = async (): Promise<void> => {
    const found = await context.client.getBucket(bucket);
    limits = found;
    input.accept = (found.allowed_mime_types ?? []).join(',');
    facts.replaceChildren(policyBadge(found.policy), limitsInWords(found));
  };
  // The list says what is wrong; nothing can be uploaded to a bucket that is not there.
  void attempt(context, showBucket, () => head.replaceChildren(heading));
  void list.load();
  reloadWhenChanged(context, place, list);
  const view = element(
    'section',
    { class: 'view folder' },
    breadcrumbs(place),
    head,
    facts,
    list.element,
    element('p', { class: 'drop-hint', 'aria-hidden': 'true' }, icon('upload'), 'Drop to upload'),
  );
  receiveFiles(view, context.signal, upload);
  return view;
}

function uploadButton(input: HTMLInputElement): HTMLElement {
  const label = element('label', { for: input.id, class: 'button primary' }, icon('upload'), 'Upload files');
  return element('span', { class: 'file-button' }, input, label);
}

const filterAfterMs = 200;

function filterField(list: FolderList): HTMLElement {
  const field = element('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter this folder' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => list.filter(field.value.trim()), filterAfterMs);
  });
  return field;
}

function breadcrumbs({ bucket, folders }: Place): HTMLElement {
  const parents = [
    { label: 'Buckets', place: home },
    { label: bucket ?? '', place: { bucket, folders: [] } },
    ...folders.map((label, index) => ({ label, place: { bucket, folders: folders.slice(0, index + 1) } })),
  ];
  const steps = parents.map(({ label, place }, index) => {
    const current = index === parents.length - 1 && 'page';
    return element('li', {}, element('a', { href: addressOf(place), 'aria-current': current }, visibleName(label)));
  });
  return element('nav', { 'aria-label': 'Where you are' }, element('ol', { class: 'breadcrumbs' }, ...steps));
}

/** Lists the folder again whenever a file arrived in it or below, and when the network is back. */
function reloadWhenChanged({ uploads, signal }: ViewContext, place: Place, list: FolderList): void {
  uploads.listen((_id, upload) => {
    if (upload?.state === 'done' && upload.bucket === place.bucket && upload.name.startsWith(prefixOf(place))) {
      void list.load();
    }
  }, signal);
  addEventListener('online', () => void list.load(), { signal });
}

/** Takes files that are dropped anywhere on the page or pasted. */
function receiveFiles(view: HTMLElement, signal: AbortSignal, upload: (files: readonly NamedFile[]) => void): void {
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
