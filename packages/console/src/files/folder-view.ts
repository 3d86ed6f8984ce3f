/** A folder of a bucket: where it is, what may be uploaded to it and by which ways, its list and what is done with it. */

import type { Bucket } from '@rowlock/client';
import { chosenFiles, isBelow, type Limits, limitsInWords, type NamedFile, noLimits } from '@rowlock/elements';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { addressOf, home, type Place, prefixOf } from '../place.ts';
import { announce } from '../status-line.ts';
import { attempt, type FolderContext, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { filesInWords } from '../wording.ts';
import { changeBucket } from './bucket-settings-dialog.ts';
import { showDeleted } from './deleted-dialog.ts';
import { FolderList } from './folder-list.ts';
import { listControls } from './list-controls.ts';
import { showObject } from './object-dialog.ts';
import { policyBadge } from './policy.ts';
import { receiveFiles } from './receive-files.ts';
import { selectionBar } from './selection-bar.ts';
import { downloadFolder } from './zip-download.ts';

/** Makes the view of a place in a bucket and fills it. */
export function folderView(context: FolderContext, place: Place): HTMLElement {
  const { bucket = '' } = place;
  const heading = element('h1', { tabindex: '-1' }, visibleName(place.folders.at(-1) ?? bucket));
  const facts = element('p', { class: 'limits', id: 'limits' });
  const input = element('input', { type: 'file', id: 'files', multiple: true, 'aria-describedby': 'limits' });
  const list = makeList(context, place, heading);
  let limits: Limits = noLimits;
  const upload = (files: readonly NamedFile[]): void => {
    if (files.length > 0) {
      const named = files.map(({ name, file }) => ({ name: prefixOf(place) + name, file }));
      announce(`Uploading ${filesInWords(files.length)}.`, { visible: false });
      context.uploads.add({ bucket }, named, { limits });
    }
  };
  input.addEventListener('change', () => {
    upload(chosenFiles(input.files ?? []));
    input.value = '';
  });
  const showBucket = async (): Promise<void> => {
    const found = await context.client.getBucket(bucket);
    limits = found;
    input.accept = (found.allowed_mime_types ?? []).join(',');
    facts.replaceChildren(policyBadge(found.policy), limitsInWords(found), keepingBadge(found));
  };
  const settings = (): void =>
    void attempt(context, async () => {
      if (await changeBucket(context, bucket)) {
        await showBucket();
      }
    });
  const head = element('header', { class: 'view-head' }, heading, folderActions(context, place, list.list, settings));
  head.append(uploadButton(input));
  const controls = listControls(list.list);
  // The list says what is wrong; nothing can be uploaded to a bucket that is not there.
  void attempt(context, showBucket, () => {
    head.replaceChildren(heading);
    controls.hidden = true;
  });
  void list.list.load();
  reloadWhenChanged(context, place, list.list);
  const hint = element('p', { class: 'drop-hint', 'aria-hidden': 'true' }, icon('upload'), 'Drop to upload');
  const parts = [breadcrumbs(place), head, facts, controls, list.bar, list.list.element, hint];
  const view = element('section', { class: 'view folder' }, ...parts);
  receiveFiles(view, context.signal, upload);
  return view;
}

function makeList(
  context: ViewContext,
  place: Place,
  heading: HTMLElement,
): { readonly list: FolderList; readonly bar: HTMLElement } {
  const { bucket = '' } = place;
  const list = new FolderList(context, place, {
    onOpened: ({ name }) =>
      showObject(context, { bucket, name: prefixOf(place) + name }, () => {
        void list.load();
      }),
    onChosen: () => bar.refresh(),
    onDelete: () => bar.remove(),
    onFocusLost: () => heading.focus(),
  });
  const bar = selectionBar(context, () => list, { bucket, prefix: prefixOf(place) });
  return { list, bar: bar.element };
}

function folderActions(context: ViewContext, place: Place, list: FolderList, settings: () => void): HTMLElement {
  const { bucket = '' } = place;
  const folder = { bucket, prefix: prefixOf(place) };
  const zip = (pressed: HTMLButtonElement): void => void downloadFolder(context, folder, pressed);
  const deleted = (): void => showDeleted(context, folder, () => void list.load());
  return element(
    'div',
    { class: 'view-actions' },
    button({ class: 'quiet', label: 'Deleted files', press: deleted }, icon('clock')),
    button({ class: 'quiet', label: 'Download everything here as a ZIP', press: zip }, icon('download')),
    place.folders.length === 0 &&
      button({ class: 'quiet', label: 'Bucket settings', press: settings }, icon('settings')),
  );
}

/** Whether what is deleted can come back, where that is so. */
function keepingBadge({ versioning, soft_delete_seconds }: Bucket): HTMLElement | string {
  if (versioning === 'on') {
    return element('span', { class: 'badge' }, icon('clock'), 'Keeps versions');
  }
  const days = Math.round((soft_delete_seconds ?? 0) / 86_400);
  return days > 0 && versioning === 'off'
    ? element(
        'span',
        { class: 'badge' },
        icon('clock'),
        `Keeps what is deleted for ${days === 1 ? 'a day' : `${days} days`}`,
      )
    : '';
}

function uploadButton(input: HTMLInputElement): HTMLElement {
  const label = element('label', { for: input.id, class: 'button primary' }, icon('upload'), 'Upload files');
  return element('span', { class: 'file-button' }, input, label);
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
function reloadWhenChanged({ uploads, signal }: FolderContext, place: Place, list: FolderList): void {
  uploads.listen((_id, upload) => {
    if (upload?.state === 'done' && isBelow(upload, place.bucket, prefixOf(place))) {
      void list.load();
    }
  }, signal);
  addEventListener('online', () => void list.load(), { signal });
}
