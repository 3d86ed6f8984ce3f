/** What a bucket is for: who reads it, what it takes and what it keeps of what is deleted. Only what changed is sent. */
import type { Bucket, BucketChanges, BucketPolicy, Versioning } from '@rowlock/client';
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { bytesInWords } from '../wording.ts';
import { limitFields, policyField, readLimits } from './bucket-fields.ts';

interface BucketCounts {
  readonly file_count: number;
  readonly total_size: number;
}

const daySeconds = 86_400;

/** Opens the dialog; resolves with true when something was changed. */
export async function changeBucket(context: ViewContext, id: string): Promise<boolean> {
  const bucket = await context.client.getBucket(id);
  const counts = element('p', { class: 'hint', 'aria-busy': 'true' }, 'Counting what is in it…');
  const problem = element('p', { class: 'problem', role: 'alert' });
  const save = element('button', { class: 'primary', type: 'submit' }, 'Save');
  const cancel = button({ press: () => opened.close(false) }, 'Cancel');
  const form = element(
    'form',
    {},
    counts,
    policyField(bucket.policy),
    keepingField(bucket),
    limitFields(bucket),
    problem,
    element('div', { class: 'dialog-actions' }, cancel, save),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    save.disabled = true;
    const work = async (): Promise<void> => {
      await context.client.updateBucket(id, changesOf(bucket, new FormData(form)));
      opened.close(true);
      announce('The bucket is changed.');
    };
    void attempt(context, work, (sentence) => {
      problem.textContent = sentence;
      save.disabled = false;
    });
  });
  const opened = openDialog('Bucket settings', context.signal, form);
  form.querySelector<HTMLInputElement>('input:checked')?.focus();
  // It reads all that it counts, so that nobody waits for it.
  void attempt(
    context,
    () => showCounts(context, id, counts),
    (sentence) => counts.replaceChildren(sentence),
  );
  return opened.closed;
}

async function showCounts({ client }: ViewContext, id: string, shown: HTMLElement): Promise<void> {
  const path = `/storage/v1/bucket/${encodeURIComponent(id)}?stats=true`;
  const counted = (await (await client.send({ method: 'GET', path })).json()) as BucketCounts;
  const files = counted.file_count === 1 ? '1 file' : `${counted.file_count.toLocaleString('en')} files`;
  shown.textContent = `${files} that you may see, ${bytesInWords(counted.total_size)}.`;
  shown.removeAttribute('aria-busy');
}

/** What a bucket keeps, as one choice: neither, for some days, every version. */
function keepingOf({ versioning, soft_delete_seconds }: Bucket): 'nothing' | 'days' | 'versions' | 'suspended' {
  if (versioning !== 'off') {
    return versioning === 'on' ? 'versions' : 'suspended';
  }
  return (soft_delete_seconds ?? 0) > 0 ? 'days' : 'nothing';
}

function keepingField(bucket: Bucket): HTMLElement {
  const kept = keepingOf(bucket);
  const choices: readonly (readonly [string, string])[] = [
    ['nothing', 'Nothing: what is deleted is gone'],
    ['days', 'For some days'],
    ['versions', 'Every version'],
    ...(kept === 'suspended' ? ([['suspended', 'No new versions (suspended)']] as const) : []),
  ];
  const options = choices.map(([value, words]) => element('option', { value, selected: value === kept }, words));
  const select = element('select', { id: 'bucket-keeps', name: 'keeps' }, ...options);
  const days = element('input', { id: 'bucket-days', name: 'days', type: 'number', min: '1', max: '3650' });
  days.value = String(Math.max(1, Math.round((bucket.soft_delete_seconds ?? 30 * daySeconds) / daySeconds)));
  const daysField = element('div', { class: 'field' }, element('label', { for: 'bucket-days' }, 'Days'), days);
  const show = (): void => {
    daysField.hidden = select.value !== 'days';
  };
  select.addEventListener('change', show);
  show();
  return element(
    'div',
    { class: 'field' },
    element('label', { for: 'bucket-keeps' }, 'Keeps of deleted and overwritten files'),
    select,
    daysField,
  );
}

function changesOf(bucket: Bucket, data: FormData): BucketChanges {
  const keeps = String(data.get('keeps'));
  const days = Number(data.get('days'));
  const versioning: Versioning = keeps === 'versions' ? 'on' : keeps === 'suspended' ? 'suspended' : 'off';
  const isKept = keeps === keepingOf(bucket) && (keeps !== 'days' || days * daySeconds === bucket.soft_delete_seconds);
  const policy = String(data.get('policy')) as BucketPolicy;
  return {
    ...(policy === bucket.policy ? {} : { policy }),
    ...(isKept ? {} : { versioning, soft_delete_seconds: keeps === 'days' ? days * daySeconds : null }),
    ...readLimits(data),
  };
}
