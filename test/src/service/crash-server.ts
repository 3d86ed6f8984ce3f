/**
 * The server process that the crash tests kill: API and workers, with one fault point armed by the environment, or later
 * by a message of the process that started it.
 */
import {
  createServer,
  createWorker,
  defaultQueues,
  defaultSchemaNames,
  enableFaults,
  planFault,
} from '@rowlock/server';
import { jwtSecret } from '@rowlock/test-harness';

const env = (name: string): string => process.env[name] ?? '';
const port = Number(env('CRASH_PORT'));
const armed = env('CRASH_FAULT');

function arm(fault: string): void {
  enableFaults(fault === '' ? undefined : planFault(fault.includes('=') ? fault : `${fault}=kill`));
}

arm(armed);
process.on('message', (fault) => {
  arm(String(fault));
  process.send?.('armed');
});
// Whoever started it is gone: nobody would end it.
process.on('disconnect', () => process.exit(1));

const backend = {
  kind: 'disk',
  root: env('CRASH_ROOT'),
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  bucket: 'civic-os-files',
  access_key_id: 'k',
  secret_access_key: 's',
} as const;
const limits = { connections_max: 4, statement_timeout_ms: 10_000 };

await createServer({
  host: '127.0.0.1',
  port,
  database: { ...limits, url: env('CRASH_API_URL') },
  backend,
  tokens: { secret: jwtSecret },
  rules: {
    anonymous_role: 'anon',
    default_role: 'authenticated',
    allowed_roles: ['anon', 'authenticated', 'service_role'],
    role_claim: ['role'],
  },
  signed_urls: { current: { id: 'test', secret: jwtSecret } },
  upload_bytes_max: 2 ** 30,
  uploads_prepared_from: env('CRASH_PREPARES') === '' ? 4 : 0,
  public_url: undefined,
  cors_origins: [],
  allowed_hosts: [],
  console_folder: undefined,
});
await createWorker({
  database: { ...limits, url: env('CRASH_WORKER_URL') },
  backend,
  names: defaultSchemaNames,
  queues: defaultQueues,
  sweep_interval_seconds: 3600,
  stop_timeout_ms: 5000,
});
process.stdout.write('ready\n');
