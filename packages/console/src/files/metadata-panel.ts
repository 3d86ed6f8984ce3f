/**
 * What its uploader said of a file, to be changed: keys with texts one by one, anything else as JSON; how long caches keep it;
 * and its type, which belongs to the bytes, so that another type is another upload of them.
 */
import { RowlockError } from '@rowlock/client';
import { button, type Child, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt } from '../view.ts';
import { bytesInWords } from '../wording.ts';
import { metadataOf, metadataText } from './metadata-text.ts';
import { describeObject, objectPath } from './object-calls.ts';
import type { ObjectPanel } from './object-dialog.ts';

/** Beyond it the bytes are not sent through the page once more. */
const retypedBytesMax = 100_000_000;

type Metadata = Readonly<Record<string, unknown>>;

/** Makes the panel. */
export function metadataPanel(panel: ObjectPanel): HTMLElement {
  return element('div', { class: 'metadata' }, metadataForm(panel), typeForm(panel));
}

function metadataForm({ context, file, info, changed }: ObjectPanel): HTMLElement {
  const pairs = element('div', { class: 'pairs' });
  for (const [key, value] of Object.entries(info.metadata)) {
    pairs.append(pair(key, metadataText(value)));
  }
  const add = button(
    {
      press: () => {
        const made = pair('', '');
        pairs.append(made);
        made.querySelector('input')?.focus();
      },
    },
    icon('plus'),
    'Add a field',
  );
  const problem = element('p', { class: 'problem', role: 'alert' });
  const save = element('button', { class: 'primary', type: 'submit' }, 'Save metadata');
  const hint = 'Numbers, true, false, null, lists and objects are read as JSON; everything else is a text.';
  const form = element(
    'form',
    {},
    element('h3', {}, 'User metadata'),
    pairs,
    element('p', { class: 'hint' }, hint),
    problem,
    element('div', { class: 'dialog-actions' }, add, save),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const work = async (): Promise<void> => {
      const metadata = readPairs(pairs);
      await describeObject(context.client, { ...file, version: info.version }, { metadata });
      announce('The metadata is saved.');
      changed();
    };
    void attempt(context, work, (sentence) => {
      problem.textContent = sentence;
    });
  });
  return form;
}

/** @throws RowlockError `invalid_request` for a key that is there twice */
function readPairs(pairs: HTMLElement): Metadata {
  const lines = [...pairs.children].map((line) => [...line.querySelectorAll('input')].map(({ value }) => value));
  const named = lines.filter(([key = '']) => key.trim() !== '');
  const keys = named.map(([key = '']) => key.trim());
  const twice = keys.find((key, place) => keys.indexOf(key) !== place);
  if (twice !== undefined) {
    throw new RowlockError('invalid_request', `The field ${twice} is there twice`);
  }
  return Object.fromEntries(named.map(([key = '', value = '']) => [key.trim(), metadataOf(value)]));
}

function pair(key: string, value: string): HTMLElement {
  const name = element('input', { 'aria-label': 'Field', placeholder: 'Field', autocomplete: 'off' });
  name.value = key;
  const text = element('input', { 'aria-label': `Value of ${key === '' ? 'the field' : key}`, autocomplete: 'off' });
  text.value = value;
  const label = `Remove the field ${key}`.trim();
  const remove = button({ class: 'quiet', label, press: () => line.remove() }, icon('close'));
  const line = element('div', { class: 'pair' }, name, text, remove);
  return line;
}

function typeForm({ context, file, info, changed }: ObjectPanel): HTMLElement {
  const type = element('input', { id: 'content-type', required: true, autocomplete: 'off', spellcheck: 'false' });
  type.value = info.content_type;
  const problem = element('p', { class: 'problem', role: 'alert' });
  const isTooLarge = info.size > retypedBytesMax;
  const save = element('button', { type: 'submit', disabled: isTooLarge }, 'Change type');
  const hint = isTooLarge
    ? `Files of more than ${bytesInWords(retypedBytesMax)} have to be uploaded again.`
    : 'The bytes are uploaded once more by this page: it is a new version.';
  const fields: readonly Child[] = [
    element('label', { for: 'content-type' }, 'Content type'),
    element('div', { class: 'link-line' }, type, save),
    element('p', { class: 'hint' }, hint),
    problem,
  ];
  const form = element('form', {}, ...fields);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    save.disabled = true;
    const work = async (): Promise<void> => {
      await uploadAgain({ context, file, info, changed }, type.value.trim());
      announce(`The file is ${type.value.trim()} now.`);
      changed();
    };
    const show = (sentence: string, error: RowlockError): void => {
      const isOther = error.reason === 'precondition_failed';
      problem.textContent = isOther ? 'Somebody changed the file meanwhile. Open it again.' : sentence;
      save.disabled = false;
    };
    void attempt(context, work, show);
  });
  return form;
}

/** Only over the bytes that were read, so that nobody else's are lost. */
async function uploadAgain({ context, file, info }: ObjectPanel, type: string): Promise<void> {
  const body = await (await context.client.download(file.bucket, file.name)).blob();
  const said = new TextEncoder().encode(JSON.stringify(info.metadata));
  const metadata = btoa(Array.from(said, (byte) => String.fromCharCode(byte)).join(''));
  const headers = { 'content-type': type, 'x-upsert': 'true', 'if-match': info.etag, 'x-metadata': metadata };
  await context.client.send({ method: 'POST', path: objectPath('object', file.bucket, file.name), body, headers });
}
