/** What a resource read last, while it is read again: lists do not flicker, and nobody sees what another was shown. */
import { linkedSignal, type Resource, type Signal } from '@angular/core';

interface Seen<T> {
  readonly subject: unknown;
  readonly value: T | undefined;
}

/** The value, or the one before while a new one is awaited. Undefined again when `subject` is another one. */
export function lastKnown<T>(resource: Resource<T | undefined>, subject: () => unknown): Signal<T | undefined> {
  return linkedSignal<Seen<T>, T | undefined>({
    source: () => ({ subject: subject(), value: resource.hasValue() ? resource.value() : undefined }),
    computation: ({ subject: now, value }, before) =>
      value ?? (before !== undefined && before.source.subject === now ? before.value : undefined),
  });
}
