/** What stands in a photo's place until it is loaded: a blurred picture of about 25 bytes, which came with its row. */
import { thumbHashToDataURL } from 'thumbhash';

/** The placeholder as the URL of a picture; undefined where there is none, or it is none. */
export function placeholderUrl(thumbhash: string | null): string | undefined {
  if (thumbhash === null) return undefined;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (character) => character.charCodeAt(0)));
  } catch {
    return undefined; // it is only a placeholder
  }
}
