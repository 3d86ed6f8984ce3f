/** Where an object is in the API. Invariant: each segment of a name is percent-encoded once. */

/** The path of an object below the service's address. */
export function objectPath(kind: string, bucket: string, name: string): string {
  return `/storage/v1/${kind}/${encodeURIComponent(bucket)}/${name.split('/').map(encodeURIComponent).join('/')}`;
}
