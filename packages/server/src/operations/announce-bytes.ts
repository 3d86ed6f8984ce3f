/**
 * Events of stores: bytes are said to be under a key. What is to be done about it becomes jobs in one transaction, which ask
 * the store again and believe only that. Invariant: an event that is forged, repeated, late or lost changes nothing but when
 * an upload is completed.
 */
import type { Backends } from '../backend/backends.ts';
import type { StoreEvent } from '../domain/store-events.ts';
import type { Database } from '../metadata/database.ts';
import { announceKeys } from '../metadata/store-events.ts';

/** How many events were about what. */
export interface Announced {
  /** Uploads that wait for these bytes. */
  readonly arrived: number;
  /** Committed versions whose key a URL is still out for. */
  readonly rechecked: number;
  /** Files of an adopted system. */
  readonly adopted: number;
  /** Keys that nothing here knows. */
  readonly unknown: number;
  /** Of buckets that are not ours, or below another prefix. */
  readonly foreign: number;
}

/** Takes what a store said. Resolves when it is durable that somebody will look. */
export async function announceBytes(
  { db, backends }: { readonly db: Database; readonly backends: Backends },
  events: readonly StoreEvent[],
): Promise<Announced> {
  const total = { arrived: 0, rechecked: 0, adopted: 0, unknown: 0, foreign: 0 };
  const known = new Set<StoreEvent>();
  for (const backend of backends) {
    const prefix = backend.keyPrefix;
    if (prefix === undefined) continue; // a store without events
    const ours = events.filter(({ bucket, key }) => bucket === backend.bucket && key.startsWith(prefix));
    if (ours.length === 0) continue;
    for (const event of ours) known.add(event);
    const keys = [...new Set(ours.map(({ key }) => key.slice(prefix.length)))].filter((key) => !key.includes('\0'));
    const told = await announceKeys(db, { backend: backend.name, bucket: backend.bucket, keys });
    total.arrived += told.arrived;
    total.rechecked += told.rechecked;
    total.adopted += told.adopted;
    total.unknown += told.unknown;
  }
  total.foreign = events.filter((event) => !known.has(event)).length;
  return total;
}
