/**
 * Other ways than jobs by which signers hear of upload requests: options, and what they configure. Both are off unless
 * somebody asks for them, and neither is safe without a secret or a reason.
 */
import type { WorkerConfig } from '@rowlock/server';
import type { Option, Settings } from './options.ts';
import { strongSecret } from './secret-strength.ts';
import { UsageError } from './usage-error.ts';

export const signerOptions: readonly Option[] = [
  {
    name: 'source',
    env: ['SIGNER_SOURCE'],
    type: 'text',
    default: 'jobs',
    help: 'notify to listen for upload requests, beside working jobs; see `rowlock alternatives`',
  },
  {
    name: 'http-signer-secret',
    env: ['HTTP_SIGNER_SECRET'],
    type: 'text',
    secret: true,
    help: 'opens the HTTP signer, and what the database sends to it as a bearer token; at least 32 characters',
  },
  {
    name: 'http-signer-host',
    env: ['HTTP_SIGNER_HOST'],
    type: 'text',
    default: '127.0.0.1',
    help: 'address on which the HTTP signer listens',
  },
  {
    name: 'http-signer-port',
    env: ['HTTP_SIGNER_PORT'],
    type: 'integer',
    default: '3001',
    min: 0,
    max: 65_535,
    help: 'port on which the HTTP signer listens',
  },
];

/** Where the HTTP signer listens; nowhere without a secret. @throws UsageError for one that is too weak */
export function httpSigner(settings: Settings): WorkerConfig['http_signer'] {
  if (settings.text('http-signer-secret') === undefined) return undefined;
  const secret = strongSecret(settings, 'http-signer-secret');
  return { host: settings.required('http-signer-host'), port: settings.integer('http-signer-port'), secret };
}

/** Who tells of upload requests. @throws UsageError */
export function signerSource(settings: Settings): NonNullable<WorkerConfig['source']> {
  const wanted = settings.required('source');
  if (wanted === 'jobs' || wanted === 'notify') return wanted;
  throw new UsageError(`SIGNER_SOURCE is jobs or notify, not "${wanted}"`);
}
