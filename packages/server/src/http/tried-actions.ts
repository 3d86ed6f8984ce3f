/** What a route tries with rows, so that a refusal can name the commands and policies behind it. It decides nothing. */
import type { TriedAction, TriedActions } from '../operations/explain-refusal.ts';

const byMethod: Readonly<Record<string, readonly TriedAction[]>> = {
  GET: ['read'],
  HEAD: ['read'],
  POST: ['create', 'change'],
  PUT: ['create', 'change'],
  PATCH: ['change'],
  DELETE: ['delete'],
};

/** Routes whose method says something else. */
const byRoute: readonly (readonly [RegExp, readonly TriedAction[]])[] = [
  [/\/object\/delete-prefix$/, ['delete']],
  [/\/object\/move/, ['read', 'change']],
  [/\/object\/copy/, ['read', 'create']],
  [/\/object\/(?:sign|list|list-v2|info|zip|versions)(?:\/|$)/, ['read']],
  [/\/bucket\/:id\/empty$/, ['delete']],
];

/** What a request tried, as far as its route tells. */
export function triedActions(method: string, route: string | undefined): TriedActions {
  const url = route ?? '';
  const isBucket = /\/bucket(?:\/:id)?$/.test(url);
  const [, actions] = byRoute.find(([pattern]) => pattern.test(url)) ?? [];
  const inMethod = byMethod[method] ?? ['read'];
  return {
    table: isBucket ? 'buckets' : 'objects',
    actions:
      actions ?? (isBucket && method === 'PUT' ? ['change'] : isBucket && method === 'POST' ? ['create'] : inMethod),
  };
}
