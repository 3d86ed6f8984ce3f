/** Where a bucket or an object is in the API. Invariant: each segment of a name is percent-encoded once. */

/** The path of an object, or of its bucket, below the service's address. */
export function objectPath(kind: string, bucket: string, name?: string): string {
  return `/storage/v1/${[kind, ...[bucket, ...(name?.split('/') ?? [])].map(encodeURIComponent)].join('/')}`;
}
