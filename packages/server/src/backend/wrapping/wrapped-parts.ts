/**
 * Uploads in parts of a store, with something done around each call that goes to it. Signing is none. It changes neither answers
 * nor errors; what is done around is the wrapper's. Invariant: a call that the store does not have, this does not have either.
 */
import type { PartStore } from '../parts.ts';

/** Of an upload in parts; `receive_part` also takes a part's bytes. */
export type PartCall = 'create_parts' | 'list_parts' | 'complete_parts' | 'abort_parts' | 'receive_part';

/** Does a call and what belongs around it; `bytesOf` says how many bytes its answer moved. */
export type AroundCall = <T>(call: PartCall, work: () => Promise<T>, bytesOf?: (answer: T) => number) => Promise<T>;

/** The same store of parts, each call in `around`. */
export function wrappedParts(inner: PartStore, around: AroundCall): PartStore {
  const receive = inner.receive?.bind(inner);
  return {
    origin: inner.origin,
    create: (key, options) => around('create_parts', () => inner.create(key, options)),
    list: (place, options) => around('list_parts', () => inner.list(place, options)),
    complete: (place, parts) => around('complete_parts', () => inner.complete(place, parts)),
    abort: (place) => around('abort_parts', () => inner.abort(place)),
    presignPart: (place, options) => inner.presignPart(place, options),
    ...(receive === undefined
      ? {}
      : {
          receive: (place, part) =>
            around(
              'receive_part',
              () => receive(place, part),
              ({ size }) => size,
            ),
        }),
  };
}
