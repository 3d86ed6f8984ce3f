/** The policies of the service's tables as SQL, each table by itself. To be read: policies are changed in the database. */
import type { PolicyText } from '@rowlock/client';
import { element } from '../element.ts';
import { nameInText } from '../visible-name.ts';

/** Makes the list. */
export function policyList(policies: readonly PolicyText[]): HTMLElement {
  const tables = [...new Set(policies.map(({ table }) => table))];
  return element(
    'div',
    { class: 'access-tables' },
    ...tables.map((table) => {
      const own = policies.filter((policy) => policy.table === table);
      const count = own.length === 1 ? 'one policy' : `${own.length} policies`;
      return element(
        'details',
        {},
        element('summary', {}, element('code', {}, nameInText(table)), element('span', { class: 'hint' }, count)),
        element('pre', { tabindex: '0' }, element('code', {}, own.map(({ definition }) => definition).join('\n\n'))),
      );
    }),
  );
}
