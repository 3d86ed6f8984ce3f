/**
 * Which kind of work a request asks for, by its method and the route that it matched: what rate limits are counted by.
 * It knows no caller and no limit. Every request is of exactly one kind, or of none that is limited.
 */

export type RequestKind = 'reads' | 'writes' | 'signs';

export const requestKinds: readonly RequestKind[] = ['reads', 'writes', 'signs'];

/** For operators and probes, who must be answered when everybody else is not. */
const unlimited: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Routes that take a body and write nothing. */
const readingPosts: RegExp = /^\/(?:storage\/v1\/object\/(?:list|list-v2|info|versions)|rpc\/get_)/;

/** Routes that hand out what opens something later. */
const signingPosts: RegExp =
  /^\/(?:storage\/v1\/(?:object|object\/upload)\/sign(?:\/:|$)|storage\/v1\/upload\/multipart\/:upload_id\/sign$|rpc\/request_|session$)/;

/** The kind of a request by its route's pattern; undefined for one that is never limited. */
export function requestKind(method: string, route: string | undefined): RequestKind | undefined {
  if (route !== undefined && unlimited.has(route)) return undefined;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 'reads';
  if (method === 'POST' && route !== undefined) {
    if (readingPosts.test(route)) return 'reads';
    if (signingPosts.test(route)) return 'signs';
  }
  return 'writes';
}
