/** Shows what was chosen as commands for elsewhere, one language at a time. They carry no key: it is read from a variable. */
import { openDialog } from '../dialog.ts';
import { button, element } from '../element.ts';
import { icon } from '../icon.ts';
import type { ViewContext } from '../view.ts';
import { type Chosen, chosenInWords } from './chosen.ts';
import { type Copied, type CopiedAction, copiedAction } from './copy-as.ts';
import { copyText } from './object-actions.ts';
import { serviceAddress } from './object-calls.ts';

const languages: Readonly<Record<keyof Copied, string>> = { curl: 'curl', sql: 'SQL', typescript: 'TypeScript' };

const actions: Readonly<Record<CopiedAction, string>> = {
  download: 'Download',
  link: 'Sign a link',
  list: 'List the folder',
  delete: 'Delete',
};

/** Opens the dialog; resolves when it was closed. */
export async function copyAs(context: ViewContext, chosen: Chosen): Promise<void> {
  const service = serviceAddress().replace(/\/$/, '');
  const action = choiceOf('What', 'copied-action', actions);
  const language = choiceOf('As', 'copied-language', languages);
  const text = element('pre', { class: 'snippet', tabindex: '0', 'aria-label': 'The command' });
  const write = (): void => {
    const copied = copiedAction(action.select.value as CopiedAction, chosen, service);
    text.textContent = copied[language.select.value as keyof Copied];
  };
  action.select.addEventListener('change', write);
  language.select.addEventListener('change', write);
  write();
  const copy = button(
    {
      class: 'primary',
      press: (pressed) => void copyText(context, text.textContent ?? '', { what: 'Text', text: '', pressed }),
    },
    icon('copy'),
    'Copy',
  );
  const close = button({ press: () => opened.close(false) }, 'Close');
  const opened = openDialog(
    `${chosenInWords(chosen)} elsewhere`,
    context.signal,
    element('div', { class: 'choices' }, action.field, language.field),
    text,
    element(
      'p',
      { class: 'hint' },
      'Your key is not in it: set it as ROWLOCK_KEY, or sign in to the database as yourself.',
    ),
    element('div', { class: 'dialog-actions' }, close, copy),
  );
  opened.dialog.classList.add('wide');
  await opened.closed;
}

function choiceOf(label: string, id: string, choices: Readonly<Record<string, string>>) {
  const options = Object.entries(choices).map(([value, words]) => element('option', { value }, words));
  const select = element('select', { id }, ...options);
  return { select, field: element('div', { class: 'field' }, element('label', { for: id }, label), select) };
}
