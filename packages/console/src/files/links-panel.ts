/**
 * Links to one file: made with an end and, if wanted, a number of uses; listed while they live; ended at once. A link itself
 * is shown when it is made and never again, since the service keeps none.
 */
import type { SignedLink } from '@rowlock/client';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import { announce } from '../status-line.ts';
import { attempt } from '../view.ts';
import { copyText } from './object-actions.ts';
import { type LiveLink, listLinks, objectPath, serviceAddress, signLink } from './object-calls.ts';
import type { ObjectPanel } from './object-dialog.ts';
import { lastPart } from './object-name.ts';

const spans: readonly (readonly [seconds: number, words: string])[] = [
  [600, '10 minutes'],
  [3600, 'An hour'],
  [86_400, 'A day'],
  [604_800, 'A week'],
];

/** Makes the panel. */
export function linksPanel(panel: ObjectPanel): HTMLElement {
  const { context, file } = panel;
  const made = element('div', { class: 'link-made', 'aria-live': 'polite' });
  const list = element('div', { class: 'panel-body', 'aria-busy': 'true' });
  const load = (): Promise<void> =>
    attempt(
      context,
      async () => {
        const links = await listLinks(context.client, file.bucket, file.name);
        list.replaceChildren(...linkLines(panel, links, load));
        list.removeAttribute('aria-busy');
      },
      (sentence) => list.replaceChildren(element('p', { class: 'problem' }, sentence)),
    );
  const onMade = (link: SignedLink): void => {
    made.replaceChildren(madeLink(panel, link));
    void load();
  };
  void load();
  const shared = element('div', { class: 'public-link' });
  void showPublic(panel, shared);
  return element('div', { class: 'links' }, shared, linkForm(panel, onMade), made, list);
}

/** A public bucket has an address for everybody, without an end. */
async function showPublic({ context, file }: ObjectPanel, place: HTMLElement): Promise<void> {
  await attempt(
    context,
    async () => {
      const bucket = await context.client.getBucket(file.bucket);
      if (bucket.public) {
        const url = new URL(objectPath('object/public', file.bucket, file.name).slice(1), serviceAddress()).href;
        const note = 'The bucket is public: anybody reads the file here, for as long as that stays so.';
        place.replaceChildren(linkField({ context, url, label: 'Public link', note }));
      }
    },
    () => undefined,
  );
}

function linkForm({ context, file }: ObjectPanel, onMade: (link: SignedLink) => void): HTMLElement {
  const options = spans.map(([seconds, words]) =>
    element('option', { value: String(seconds), selected: seconds === 3600 }, words),
  );
  const span = element('select', { id: 'link-span', name: 'span' }, ...options);
  const uses = element('input', {
    id: 'link-uses',
    name: 'uses',
    type: 'number',
    min: '1',
    max: '1000000',
    placeholder: 'Any number',
  });
  const saves = element('input', { type: 'checkbox', name: 'saves' });
  const form = element(
    'form',
    { class: 'link-form' },
    element('div', { class: 'field' }, element('label', { for: 'link-span' }, 'Good for'), span),
    element('div', { class: 'field' }, element('label', { for: 'link-uses' }, 'Uses'), uses),
    element('label', { class: 'check' }, saves, 'Saves the file instead of showing it'),
    element('button', { type: 'submit', class: 'primary' }, icon('link'), 'Make a link'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(context, async () => {
      const terms = {
        expiresIn: Number(span.value),
        register: true,
        ...(uses.value === '' ? {} : { max_uses: Number(uses.value) }),
        ...(saves.checked ? { download: lastPart(file.name) } : {}),
      };
      onMade(await signLink(context.client, file.bucket, file.name, terms));
    });
  });
  return form;
}

function madeLink({ context }: ObjectPanel, link: SignedLink): HTMLElement {
  const note = 'Copy it now: it is not shown again. Whoever has it can read the file.';
  return linkField({ context, url: link.url, label: 'Your link', note });
}

function linkField(shown: {
  readonly context: ObjectPanel['context'];
  readonly url: string;
  readonly label: string;
  readonly note: string;
}): HTMLElement {
  const { context, url, label, note } = shown;
  const field = element('input', { readonly: true, 'aria-label': label });
  field.value = url;
  const press = (pressed: HTMLButtonElement): void => void copyText(context, url, { what: 'Link', text: '', pressed });
  const copy = button({ label: `Copy: ${label.toLowerCase()}`, press }, icon('copy'), 'Copy');
  return element(
    'div',
    { class: 'field' },
    element('div', { class: 'link-line' }, field, copy),
    element('p', { class: 'hint' }, note),
  );
}

function linkLines(
  panel: ObjectPanel,
  links: readonly LiveLink[],
  reload: () => Promise<void>,
): readonly HTMLElement[] {
  const { context, file } = panel;
  const end = (id: string | undefined, words: string): void =>
    void attempt(context, async () => {
      await context.client.revoke(file.bucket, file.name, id);
      announce(words);
      await reload();
    });
  const lines = links.map((link) => linkLine(link, () => end(link.id, 'The link is ended.')));
  const all = button(
    { class: 'danger', press: () => end(undefined, 'Every link to this file is ended.') },
    'End every link',
  );
  const hint =
    'Ends links that are not listed too: those that were copied from the list of files, or made by programs.';
  return [
    element('h3', {}, 'Links that live'),
    lines.length === 0
      ? element('p', { class: 'hint' }, 'None is listed.')
      : element('ul', { class: 'lines' }, ...lines),
    element('div', { class: 'end-links' }, all, element('p', { class: 'hint' }, hint)),
  ];
}

function linkLine(link: LiveLink, end: () => void): HTMLElement {
  const until = momentOf(link.expires_at);
  const uses = link.uses_max === null ? 'any number of uses' : `${link.uses_left} of ${link.uses_max} uses left`;
  const used = link.last_used_at === null ? 'not used yet' : `last used ${momentOf(link.last_used_at)}`;
  return element(
    'li',
    { class: 'line' },
    element(
      'span',
      { class: 'line-main' },
      element('strong', {}, `Until ${until}`),
      element('span', { class: 'row-facts' }, link.uses_max === null ? uses : `${uses} · ${used}`),
    ),
    button({ label: `End the link until ${until}`, press: end }, 'End'),
  );
}

function momentOf(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));
}
