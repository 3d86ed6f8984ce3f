/** The list of buckets: what there is, a new one, an empty one away. Files are the folder view's. */

import type { Bucket } from '@rowlock/client';
import { limitsInWords } from '@rowlock/elements/page';
import { confirmRemoval } from '../dialog.ts';
import { button, element } from '../element.ts';
import { emptyState, failedState } from '../empty-state.ts';
import { icon } from '../icon.ts';
import { addressOf } from '../place.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { momentInWords } from '../wording.ts';
import { askForBucket } from './new-bucket-dialog.ts';
import { policyBadge } from './policy.ts';

/** Makes the view and fills it. */
export function bucketsView(context: ViewContext): HTMLElement {
  const list = element('div', { class: 'content', 'aria-busy': 'true' });
  const heading = element('h1', { tabindex: '-1' }, 'Buckets');
  const newBucket = (): void => {
    void askForBucket(context).then((name) => {
      if (name !== undefined) {
        announce(`The bucket ${name} is there.`);
        location.hash = addressOf({ bucket: name, folders: [] });
      }
    });
  };
  const create = button({ class: 'primary', press: newBucket }, icon('plus'), 'New bucket');
  const load = (): Promise<void> =>
    attempt(
      context,
      async () => {
        const buckets = await context.client.listBuckets();
        list.replaceChildren(buckets.length === 0 ? noBuckets(newBucket) : bucketList(buckets, remove));
        create.hidden = buckets.length === 0;
        list.removeAttribute('aria-busy');
      },
      (sentence) => list.replaceChildren(failedState(sentence, () => void load())),
    );
  const remove = async (bucket: Bucket): Promise<void> => {
    const question = {
      title: 'Delete this bucket?',
      text: element('span', {}, visibleName(bucket.id), ' must be empty. This cannot be undone.'),
      action: 'Delete bucket',
    };
    if (!(await confirmRemoval(question, context.signal))) {
      return;
    }
    await attempt(context, async () => {
      await context.client.deleteBucket(bucket.id);
      announce(`The bucket ${bucket.id} is deleted.`);
      await load();
      heading.focus();
    });
  };
  void load();
  return element('section', { class: 'view' }, element('header', { class: 'view-head' }, heading, create), list);
}

function bucketList(buckets: readonly Bucket[], remove: (bucket: Bucket) => Promise<void>): HTMLElement {
  return element('ul', { class: 'rows buckets' }, ...buckets.map((bucket) => bucketRow(bucket, remove)));
}

function bucketRow(bucket: Bucket, remove: (bucket: Bucket) => Promise<void>): HTMLElement {
  const address = addressOf({ bucket: bucket.id, folders: [] });
  const label = `Delete the bucket ${bucket.id}`;
  return element(
    'li',
    { class: 'row' },
    element('span', { class: 'thumbnail' }, icon('bucket')),
    element(
      'span',
      { class: 'row-main' },
      element('a', { href: address, class: 'row-name' }, visibleName(bucket.id)),
      element(
        'span',
        { class: 'row-facts' },
        `${limitsInWords(bucket)} Created ${momentInWords(new Date(bucket.created_at))}.`,
      ),
    ),
    policyBadge(bucket.policy),
    element(
      'span',
      { class: 'row-actions' },
      button({ class: 'quiet', label, press: () => void remove(bucket) }, icon('trash')),
    ),
  );
}

function noBuckets(newBucket: () => void): HTMLElement {
  return emptyState(
    'bucket',
    'No buckets yet',
    'A bucket holds files and says who may read them. Create one to upload your first file.',
    button({ class: 'primary', press: newBucket }, icon('plus'), 'New bucket'),
  );
}
