/** The fields that a new bucket and the settings of one have in common. They are read back from the form that they are in. */
import type { Bucket, BucketPolicy } from '@rowlock/client';
import { element } from '../element.ts';
import { icon } from '../icon.ts';
import { policies } from './policy.ts';

/** Who may read, as one choice of three. */
export function policyField(chosen: BucketPolicy): HTMLElement {
  const choices = Object.entries(policies).map(([policy, words]) =>
    element(
      'label',
      { class: 'choice' },
      element('input', { type: 'radio', name: 'policy', value: policy, checked: policy === chosen }),
      icon(words.icon),
      element('span', {}, element('strong', {}, words.label), element('span', { class: 'hint' }, words.explanation)),
    ),
  );
  return element('fieldset', {}, element('legend', {}, 'Who may read'), ...choices);
}

/** How large a file may be, and of which types. */
export function limitFields(bucket?: Pick<Bucket, 'file_size_limit' | 'allowed_mime_types'>): HTMLElement {
  const size = element('input', { id: 'bucket-size', name: 'size', placeholder: '20 MB', autocomplete: 'off' });
  const types = element('input', { id: 'bucket-types', name: 'types', placeholder: 'image/*, application/pdf' });
  size.value =
    bucket?.file_size_limit === undefined || bucket.file_size_limit === null ? '' : `${bucket.file_size_limit}`;
  types.value = (bucket?.allowed_mime_types ?? []).join(', ');
  return element(
    'details',
    {},
    element('summary', {}, 'Limits'),
    element('div', { class: 'field' }, element('label', { for: 'bucket-size' }, 'Largest file'), size),
    element('div', { class: 'field' }, element('label', { for: 'bucket-types' }, 'Types that it takes'), types),
    element('p', { class: 'hint' }, 'Left empty, there is no limit.'),
  );
}

/** What the limits' fields say; null is no limit. */
export function readLimits(data: FormData): {
  readonly file_size_limit: string | number | null;
  readonly allowed_mime_types: readonly string[] | null;
} {
  const text = (field: string): string => String(data.get(field) ?? '').trim();
  const types = text('types')
    .split(/[\s,]+/)
    .filter((type) => type !== '');
  const size = text('size');
  return {
    file_size_limit: size === '' ? null : /^\d+$/.test(size) ? Number(size) : size,
    allowed_mime_types: types.length === 0 ? null : types,
  };
}
