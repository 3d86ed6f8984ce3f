/** The client of a session. Its requests end with a view, so that nothing arrives for a view that was left. */
import { createClient, type StorageClient } from '@rowlock/client';
import { serviceAddress } from './files/object-calls.ts';

/** Makes a client with a key, whose requests the signal ends. */
export function signedInClient(key: string, signal: AbortSignal): StorageClient {
  return createClient({
    url: serviceAddress(),
    token: key,
    fetch: (input, init) =>
      fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal }),
  });
}

/** Makes the client of a session's uploads: no view ends them, and its requests say how much of a file has left. */
export function uploadClient(key: string): StorageClient {
  return createClient({ url: serviceAddress(), token: key });
}
