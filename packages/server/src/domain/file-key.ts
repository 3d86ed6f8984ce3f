/**
 * What a key means under which a deployed application asks its store for a file: the object of that name, a file's
 * original or thumbnail beside it, or a variant under a key of its own. It only reads the text; whether there is such a
 * thing, and for whom, the database says.
 */
import { normaliseObjectName } from './names.ts';

export interface FileKey {
  /** The whole key, as the name that an object may have. */
  readonly name: string;
  /** The file whose id stands in the key: `…/{file id}/original.jpg` or `…/{file id}/thumb-small.jpg`. */
  readonly file_id: string | undefined;
  /** The thumbnail that is meant; the original when undefined. */
  readonly preset: string | undefined;
  /** The version whose id a variant's own key ends with. */
  readonly version_id: string | undefined;
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const originalKey = new RegExp(`^[^/]+/[^/]+/(${uuid})/original\\.[a-z0-9]{1,10}$`);
const thumbnailKey = new RegExp(`^[^/]+/[^/]+/(${uuid})/thumb-([a-z][a-z0-9_-]{0,49})\\.[a-z0-9]{1,10}$`);
const variantKey = new RegExp(`^(?:objects|variants)/[0-9a-f]{2}/(${uuid})$`);

/** Reads a key. @throws RowlockError `invalid_name`, `name_too_long` for what no object can be called */
export function parseFileKey(key: string): FileKey {
  const name = normaliseObjectName(key);
  const thumbnail = thumbnailKey.exec(name);
  return {
    name,
    file_id: thumbnail?.[1] ?? originalKey.exec(name)?.[1],
    preset: thumbnail?.[2],
    version_id: variantKey.exec(name)?.[1],
  };
}
