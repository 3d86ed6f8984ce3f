/**
 * User metadata as a header carries it. It checks nothing: the service says what it takes. Invariant: whatever JSON can say
 * arrives as it was, in any alphabet.
 */

/** Base64 of JSON in UTF-8. */
export function metadataHeader(metadata: Readonly<Record<string, unknown>>): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(metadata))));
}
