/** The links that live: those that are counted or kept on the list, with a way to end each. */
import { type LiveLink, listLinks, revokeLink } from '@rowlock/client';
import { confirmRemoval } from '../dialog.ts';
import { button, element } from '../element.ts';
import { failedState } from '../empty-state.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { nameInText, visibleName } from '../visible-name.ts';
import { momentInWords } from '../wording.ts';

/** Links of one page, as the service answers them. */
const pageLength = 100;

/** Makes the list and fills it. */
export function linkList(context: ViewContext): HTMLElement {
  const rows = element('ul', { class: 'rows' });
  const none = element('p', { class: 'hint' }, 'No link is counted or kept.');
  const more = button({ press: () => void load(true) }, 'Show more');
  const box = element('div', { 'aria-busy': 'true', tabindex: '-1' });
  let last: string | undefined;
  const load = (goOn: boolean): Promise<void> =>
    attempt(
      context,
      async () => {
        const links = await listLinks(context.client, goOn ? last : undefined);
        last = links.at(-1)?.id;
        if (!goOn) rows.replaceChildren();
        rows.append(...links.map((link) => linkRow(link, revoke)));
        more.hidden = links.length < pageLength;
        box.replaceChildren(...(rows.childElementCount === 0 ? [none] : [rows, more]));
        box.removeAttribute('aria-busy');
      },
      (sentence) => box.replaceChildren(failedState(sentence, () => void load(false))),
    );
  const revoke = async (link: LiveLink): Promise<void> => {
    const text = element('span', {}, 'Whoever has the link to ', visibleName(link.name), ' opens nothing with it.');
    if (!(await confirmRemoval({ title: 'Revoke this link?', text, action: 'Revoke link' }, context.signal))) {
      return;
    }
    await attempt(context, async () => {
      await revokeLink(context.client, link.id);
      announce('The link is revoked.');
      await load(false);
      box.focus();
    });
  };
  void load(false);
  return box;
}

function linkRow(link: LiveLink, revoke: (link: LiveLink) => Promise<void>): HTMLElement {
  const label = `Revoke the link to ${nameInText(link.name)}`;
  return element(
    'li',
    { class: 'row' },
    element(
      'span',
      { class: 'row-main' },
      visibleName(`${link.bucket}/${link.name}`),
      element('span', { class: 'row-facts' }, linkInWords(link)),
    ),
    element('span', { class: 'row-actions' }, button({ label, press: () => void revoke(link) }, 'Revoke')),
  );
}

function linkInWords({ uses_max, uses_left, signed_at, expires_at, preset }: LiveLink): string {
  const uses = uses_max === null ? 'Any number of uses' : `${uses_left} of ${uses_max} uses left`;
  const until = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  const what = preset === null ? '' : `Thumbnail “${nameInText(preset)}”. `;
  return `${what}${uses}. Signed ${momentInWords(new Date(signed_at))}, until ${until.format(new Date(expires_at))}.`;
}
