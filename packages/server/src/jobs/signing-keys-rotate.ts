/** `signing_keys_rotate`: the keys that the database signs with, asked for periodically by every worker and written by one. */
import { rotateSigningKeys } from '../operations/rotate-signing-keys.ts';
import type { JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext): Promise<void> {
  await rotateSigningKeys(context);
}

export const signingKeysRotate: JobKind = { kind: 'signing_keys_rotate', timeoutMs: 30_000, perform };
