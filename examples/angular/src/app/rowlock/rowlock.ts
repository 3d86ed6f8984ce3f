/**
 * Rowlock's client for whoever is signed in. Nothing about stores, buckets or keys is configured in the browser: the
 * address of the service and a token are all it knows.
 */
import { computed, Injectable, inject } from '@angular/core';
import { createClient, type StorageClient } from '@rowlock/client';
import { Session } from '../session/session';

@Injectable({ providedIn: 'root' })
export class Rowlock {
  readonly #session = inject(Session);
  readonly #client = computed(() => {
    const url = this.#session.configuration()?.rowlockUrl;
    return url === undefined ? undefined : createClient({ url, token: () => this.#session.token() ?? '' });
  });

  /** The client; an error before the session has begun, which no template can meet. */
  get client(): StorageClient {
    const client = this.#client();
    if (client === undefined) throw new Error('Nobody has signed in yet.');
    return client;
  }
}
