/** Whose access to what is asked about: a role and who they are, a bucket and a name. It asks; others answer. */
import type { AccessQuestion } from '@rowlock/client';
import { element } from '../element.ts';
import { icon } from '../icon.ts';

const plain = { autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' };

/** The form of the page. */
export class QuestionForm {
  readonly element: HTMLFormElement;
  readonly #role = element('select', { id: 'access-role', name: 'role', required: true });
  readonly #buckets = element('datalist', { id: 'access-buckets' });

  constructor(
    about: { readonly bucket: string; readonly name: string },
    ask: (question: AccessQuestion) => Promise<void>,
  ) {
    const subject = element('input', { id: 'access-subject', placeholder: 'nobody in particular', ...plain });
    const claims = element('textarea', {
      id: 'access-claims',
      rows: '4',
      placeholder: '{ "organization_id": 7 }',
      'aria-describedby': 'access-problem',
      ...plain,
    });
    const bucket = element('input', { id: 'access-bucket', list: this.#buckets.id, required: true, ...plain });
    const name = element('input', { id: 'access-name', required: true, placeholder: 'folder/file.jpg', ...plain });
    bucket.value = about.bucket;
    name.value = about.name;
    const problem = element('p', { class: 'problem', role: 'alert', id: 'access-problem' });
    const submit = element('button', { class: 'primary', type: 'submit' }, icon('lock'), 'Explain');
    this.element = element(
      'form',
      { class: 'access-form' },
      field('Role', this.#role),
      field('Subject (sub)', subject),
      field('Bucket', bucket),
      field('File', name),
      element('details', {}, element('summary', {}, 'Other claims'), field('Claims as JSON', claims)),
      problem,
      submit,
      this.#buckets,
    );
    this.offer(['authenticated'], []);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      const read = claimsOf(claims.value);
      problem.textContent = read === undefined ? 'Claims are a JSON object, such as { "organization_id": 7 }.' : '';
      if (read === undefined) {
        claims.focus();
        return;
      }
      submit.disabled = true;
      void ask({
        role: this.#role.value,
        bucket: bucket.value.trim(),
        name: name.value,
        ...(subject.value === '' ? {} : { subject: subject.value }),
        ...(Object.keys(read).length === 0 ? {} : { claims: read }),
      }).finally(() => {
        submit.disabled = false;
      });
    });
  }

  /** Shows what there is to choose from. What was chosen stays. */
  offer(roles: readonly string[], buckets: readonly string[]): void {
    const chosen = this.#role.value;
    this.#role.replaceChildren(...roles.map((role) => element('option', { value: role }, role)));
    this.#role.value = roles.includes(chosen) ? chosen : (roles[0] ?? '');
    this.#buckets.replaceChildren(...buckets.map((bucket) => element('option', { value: bucket })));
  }
}

function field(label: string, control: HTMLElement): HTMLElement {
  return element('div', { class: 'field' }, element('label', { for: control.id }, label), control);
}

/** The claims that a text says; none for an empty one, undefined for what is no object. */
export function claimsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') {
    return {};
  }
  try {
    const read: unknown = JSON.parse(text);
    const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
    return isObject ? (read as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
