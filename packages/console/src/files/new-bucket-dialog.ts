/** Asks for a new bucket and creates it. A bucket is private unless somebody chooses otherwise. */

import type { BucketPolicy, NewBucket } from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { attempt, type ViewContext } from '../view.ts';
import { limitFields, policyField, readLimits } from './bucket-fields.ts';

/** Opens the dialog. Resolves with the bucket's name once it exists, with undefined when nobody wanted it. */
export async function askForBucket(context: ViewContext): Promise<string | undefined> {
  const problem = element('p', { class: 'problem', role: 'alert', id: 'bucket-problem' });
  const create = element('button', { class: 'primary', type: 'submit' }, 'Create bucket');
  const cancel = button({ press: () => opened.close(false) }, 'Cancel');
  const form = element(
    'form',
    {},
    nameField(),
    policyField('private'),
    limitFields(),
    problem,
    element('div', { class: 'dialog-actions' }, cancel, create),
  );
  let name: string | undefined;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const bucket = readBucket(new FormData(form));
    create.disabled = true;
    const work = async (): Promise<void> => {
      name = (await context.client.createBucket(bucket)).id;
      opened.close(true);
    };
    void attempt(context, work, (sentence) => {
      problem.textContent = sentence;
      create.disabled = false;
    });
  });
  const opened = openDialog('New bucket', context.signal, form);
  form.querySelector('input')?.focus();
  await opened.closed;
  return name;
}

function nameField(): HTMLElement {
  const input = element('input', {
    id: 'bucket-name',
    name: 'name',
    required: true,
    minlength: '3',
    maxlength: '63',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: 'holiday-photos',
    'aria-describedby': 'bucket-name-hint bucket-problem',
  });
  const hint = 'Lower-case letters, digits, “.”, “-” and “_”; 3 to 63 of them. It cannot be changed later.';
  return element(
    'div',
    { class: 'field' },
    element('label', { for: 'bucket-name' }, 'Name'),
    input,
    element('p', { class: 'hint', id: 'bucket-name-hint' }, hint),
  );
}

function readBucket(data: FormData): NewBucket {
  const { file_size_limit, allowed_mime_types } = readLimits(data);
  return {
    name: String(data.get('name') ?? '').trim(),
    policy: String(data.get('policy')) as BucketPolicy,
    ...(file_size_limit === null ? {} : { file_size_limit }),
    ...(allowed_mime_types === null ? {} : { allowed_mime_types }),
  };
}
