/** Asks for a new bucket and creates it. A bucket is private unless somebody chooses otherwise. */

import type { BucketPolicy, NewBucket } from '@rowlock/client';
import { openDialog } from './dialog.ts';
import { button, element } from './element.ts';
import { icon } from './icon.ts';
import { policies } from './policy.ts';
import { attempt, type ViewContext } from './view.ts';

/** Opens the dialog. Resolves with the bucket's name once it exists, with undefined when nobody wanted it. */
export async function askForBucket(context: ViewContext): Promise<string | undefined> {
  const problem = element('p', { class: 'problem', role: 'alert', id: 'bucket-problem' });
  const create = element('button', { class: 'primary', type: 'submit' }, 'Create bucket');
  const cancel = button({ press: () => opened.close(false) }, 'Cancel');
  const form = element(
    'form',
    {},
    nameField(),
    policyField(),
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

function policyField(): HTMLElement {
  const choices = Object.entries(policies).map(([policy, words]) =>
    element(
      'label',
      { class: 'choice' },
      element('input', { type: 'radio', name: 'policy', value: policy, checked: policy === 'private' }),
      icon(words.icon),
      element('span', {}, element('strong', {}, words.label), element('span', { class: 'hint' }, words.explanation)),
    ),
  );
  return element('fieldset', {}, element('legend', {}, 'Who may read'), ...choices);
}

function limitFields(): HTMLElement {
  const size = element('input', { id: 'bucket-size', name: 'size', placeholder: '20 MB', autocomplete: 'off' });
  const types = element('input', { id: 'bucket-types', name: 'types', placeholder: 'image/*, application/pdf' });
  return element(
    'details',
    {},
    element('summary', {}, 'Limits'),
    element('div', { class: 'field' }, element('label', { for: 'bucket-size' }, 'Largest file'), size),
    element('div', { class: 'field' }, element('label', { for: 'bucket-types' }, 'Types that it takes'), types),
    element('p', { class: 'hint' }, 'Left empty, there is no limit.'),
  );
}

function readBucket(data: FormData): NewBucket {
  const text = (field: string): string => String(data.get(field) ?? '').trim();
  const types = text('types')
    .split(/[\s,]+/)
    .filter((type) => type !== '');
  return {
    name: text('name'),
    policy: text('policy') as BucketPolicy,
    ...(text('size') === '' ? {} : { file_size_limit: text('size') }),
    ...(types.length === 0 ? {} : { allowed_mime_types: types }),
  };
}
