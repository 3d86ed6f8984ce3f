/** List a bucket page by page with a cursor: complete at any size of page, and as cheap at its end as at its beginning. */
import type { Caller } from '../domain/caller.ts';
import { type CursorListing, decodeCursor, encodeCursor } from '../domain/list-cursor.ts';
import { assertPartOfNames } from '../domain/names.ts';
import type { ListSort } from '../metadata/listing.ts';
import type { OperationContext } from './context.ts';
import { listLimitMax, visiblePage } from './list-objects.ts';

export interface PageRequest {
  readonly bucket: string;
  /** What names begin with; taken literally, a folder or not. */
  readonly prefix: string;
  readonly delimited: boolean;
  readonly sort: Exclude<ListSort, 'last_accessed_at'>;
  readonly descending: boolean;
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor: string | undefined;
}

/**
 * Lists one page as a JSON object `{hasNext, nextCursor?, nextCursorKey?, folders, objects}` with whole names.
 *
 * @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request`
 */
export async function listPage(context: OperationContext, caller: Caller, request: PageRequest): Promise<string> {
  assertPartOfNames(request.prefix);
  const { bucket, delimited, descending, sort, cursor } = request;
  const listing: CursorListing = { bucket, prefix: request.prefix.normalize('NFC'), delimited, descending, sort };
  const after = cursor === undefined ? undefined : decodeCursor(listing, cursor);
  const page = await visiblePage(context, caller, {
    ...listing,
    sort,
    after,
    limit: Math.min(request.limit, listLimitMax),
    offset: 0,
    search: '',
    fullNames: true,
  });
  const next =
    page.more && page.last !== undefined
      ? `"nextCursor":${JSON.stringify(encodeCursor(listing, page.last))},"nextCursorKey":${JSON.stringify(page.last.name)},`
      : '';
  return `{"hasNext":${page.more},${next}"folders":[${page.folders}],"objects":[${page.entries}]}`;
}
