/** The page for whoever has no key here yet. It checks the key by asking the service, and keeps nothing itself. */
import { isRowlockError } from '@rowlock/client';
import { element } from './element.ts';
import { icon } from './icon.ts';
import { type Session, sessionOf } from './session.ts';
import { signedInClient } from './signed-in-client.ts';
import { failureInWords } from './wording.ts';

/** Makes the page; `why` says what ended the last session. */
export function signInView(
  why: string | undefined,
  signal: AbortSignal,
  onSignedIn: (session: Session) => void,
): HTMLElement {
  const problem = element('p', { class: 'problem', role: 'alert', id: 'key-problem' }, why);
  const field = element('textarea', {
    id: 'key',
    rows: '4',
    required: true,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    'aria-describedby': 'key-hint key-problem',
    placeholder: 'eyJhbGciOi…',
  });
  const submit = element('button', { class: 'primary', type: 'submit' }, 'Sign in');
  const form = element(
    'form',
    {},
    element('label', { for: 'key' }, 'Your key'),
    field,
    element('p', { class: 'hint', id: 'key-hint' }, 'A token (JWT) of your application. It stays in this browser tab.'),
    problem,
    submit,
  );
  const signIn = async (): Promise<void> => {
    const session = sessionOf(field.value);
    problem.textContent = session === undefined ? 'This is not a key: a key has three parts with dots between.' : '';
    if (session !== undefined) {
      submit.disabled = true;
      problem.textContent = (await refusalOfKey(session.key, signal)) ?? '';
      submit.disabled = false;
    }
    if (session !== undefined && problem.textContent === '') {
      onSignedIn(session);
    } else {
      field.focus();
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  const command = element('code', {}, 'rowlock dev');
  return element(
    'section',
    { class: 'sign-in' },
    element('h1', { tabindex: '-1' }, icon('lock'), 'Sign in'),
    form,
    element('p', { class: 'hint' }, 'On your own machine, ', command, ' prints a link that signs you in.'),
  );
}

async function refusalOfKey(key: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await signedInClient(key, signal).listBuckets();
    return undefined;
  } catch (error) {
    if (isRowlockError(error)) {
      return failureInWords(error);
    }
    throw error;
  }
}
