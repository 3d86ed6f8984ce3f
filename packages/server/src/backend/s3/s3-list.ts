/**
 * Walks over what is under the prefix of a store, in the order of bytes, a page at a time. What is no key of ours is
 * told as foreign. Invariant: the order is checked, since whoever compares two walks would else find differences that
 * are none; a store that has another order is refused loudly.
 */
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { ForeignEntry, ListedObject } from '../backend.ts';
import { isKey } from '../keys.ts';
import type { S3Store } from './s3-client.ts';

export interface S3WalkOptions {
  /** Only what begins with this. */
  readonly prefix?: string;
  /** Only what comes behind this. */
  readonly after?: string;
}

/** Walks over objects and foreign entries; names are those without the prefix of the store. */
export async function* walkObjects(
  store: S3Store,
  { prefix = '', after = '' }: S3WalkOptions = {},
): AsyncGenerator<ListedObject | ForeignEntry, void> {
  const { bucket, key_prefix, page_keys } = store.settings;
  let behind = after;
  let token: string | undefined;
  do {
    const page = await store.call((options) =>
      store.client.listObjectsV2(
        {
          Bucket: bucket,
          Prefix: key_prefix + prefix,
          MaxKeys: page_keys,
          // XML cannot carry every character that a key may have.
          EncodingType: 'url',
          ...(token !== undefined
            ? { ContinuationToken: token }
            : behind !== '' && { StartAfter: key_prefix + behind }),
        },
        options,
      ),
    );
    for (const entry of entriesOf(page, key_prefix)) {
      const name = 'key' in entry ? entry.key : entry.place;
      if (behind !== '' && compareUtf8(behind, name) >= 0) throw new Error('the store lists its keys in another order');
      behind = name;
      yield entry;
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && token === undefined) throw new Error('the store ends a list in the middle');
  } while (token !== undefined);
}

/** The text of a name as a list has it, encoded or not. */
export function decodedName(name: string, encoding: string | undefined): string {
  if (encoding !== 'url') return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name; // not UTF-8, so no text says it better
  }
}

function* entriesOf(page: ListObjectsV2CommandOutput, prefix: string): Generator<ListedObject | ForeignEntry, void> {
  for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
    const name = decodedName(Key, page.EncodingType).slice(prefix.length);
    if (isKey(name)) yield { key: name, size: Size, last_modified: LastModified ?? new Date(0) };
    else yield { place: name, foreign: 'name' };
  }
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
