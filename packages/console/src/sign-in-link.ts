/** Signing in by a link: its token is given to the service, once, for a key. The key is kept by whoever asked. */
import { RowlockError } from '@rowlock/client';
import { serviceAddress } from './files/object-calls.ts';
import { failureInWords } from './wording.ts';

/** Exchanges the token of a link; answers a sentence where it does not work. */
export async function exchangeLink(token: string): Promise<{ readonly key?: string; readonly problem?: string }> {
  try {
    const answer = await fetch(new URL('storage/v1/console/session', serviceAddress()), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    const said = (await answer.json()) as { readonly key?: string; readonly message?: string };
    return answer.ok && said.key !== undefined
      ? { key: said.key }
      : { problem: said.message ?? 'The link does not work.' };
  } catch (cause) {
    return { problem: failureInWords(new RowlockError('unavailable', 'nothing answers', { cause })) };
  }
}
