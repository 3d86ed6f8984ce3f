/**
 * The ways to an upload URL beside each other, one caller at a time: from asking to having it, and a mebibyte up and down
 * by a presigned URL and as rows of the database. What pg_net and pgsql-http take of their own is not in it: here the
 * caller does their part, which is one request.
 */
import { randomBytes } from 'node:crypto';
import { createFetchHandler, ownFolderRules } from '@rowlock/client/edge';
import { installAlternative } from '@rowlock/server';
import { freePort, jwtSecret } from '@rowlock/test-harness';
import { closedLoop } from './load/closed-loop.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { type BareStatement, CallerTransactions } from './service/caller-transactions.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;
const secret = 'the-secret-of-the-signer-in-benchmarks-0123';
const mebibyte = randomBytes(2 ** 20);

const ask: BareStatement = {
  name: 'ask',
  text: "SELECT public.request_upload_url('issue', '7', $1, 'image/jpeg') AS id",
};
const look: BareStatement = { name: 'look', text: 'SELECT url FROM public.get_upload_url($1)' };
const askSync: BareStatement = {
  name: 'ask_sync',
  text: "SELECT public.get_upload_url_sync('issue', '7', $1, 'image/jpeg') AS url",
};

interface Site {
  readonly service: BenchService;
  readonly callers: CallerTransactions;
  readonly signerUrl: string;
}

type Way = (n: number) => Promise<unknown>;

async function asked({ callers }: Site, n: number): Promise<string> {
  const [row] = await callers.run<{ id: string }>(ask, [`photo-${n}.jpg`]);
  return row?.id ?? '';
}

async function looked({ callers }: Site, id: string): Promise<string | null> {
  const [row] = await callers.run<{ url: string | null }>(look, [id]);
  return row?.url ?? null;
}

/** Asks, and polls as often as it is answered. */
const polled =
  (site: Site): Way =>
  async (n) => {
    const id = await asked(site, n);
    while ((await looked(site, id)) === null);
  };

async function post(url: string, body: object, headers: Readonly<Record<string, string>>): Promise<Response> {
  const sent = { ...headers, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers: sent, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

function signerWays(site: Site): Readonly<Record<'pushed' | 'called', Way>> {
  const authorization = `Bearer ${secret}`;
  const key = 'issue/7/0190a5a0-0000-7000-8000-000000000000/original.jpg';
  const order = { key, backend: 'disk', fileType: 'image/jpeg', expiresIn: 900 };
  return {
    pushed: async (n) => {
      const id = await asked(site, n);
      await (await post(`${site.signerUrl}/sign-upload`, { requestId: id }, { authorization })).text();
      if ((await looked(site, id)) === null) throw new Error('there is no URL');
    },
    called: async (n) => {
      await asked(site, n);
      await (await post(`${site.signerUrl}/sign`, order, { authorization })).json();
    },
  };
}

function edgeWay({ service }: Site): Way {
  const handler = createFetchHandler({
    store: {
      endpoint: 'https://account.r2.cloudflarestorage.com',
      region: 'auto',
      bucket: 'bench',
      access_key_id: 'BENCHKEY',
      secret_access_key: 'bench-secret-access-key',
    },
    tokens: { secret: jwtSecret },
    rules: ownFolderRules({ prefix: 'u/' }),
  });
  const body = JSON.stringify({ fileName: 'photo.jpg', fileType: 'image/jpeg' });
  return async () => {
    const request = new Request('https://edge/presign', { method: 'POST', headers: { ...service.headers }, body });
    const answer = await handler.fetch(request);
    if (answer.status !== 200) throw new Error(await answer.text());
  };
}

/** Up and down, of bytes that are on the disk and of bytes that are rows. */
async function transferWays({ service, callers }: Site): Promise<Readonly<Record<string, Way>>> {
  const { headers, database } = service;
  const base = `http://127.0.0.1:${service.port}/storage/v1/object`;
  await database.query("INSERT INTO storage.buckets (id, owner_id, backend) VALUES ('rows', 'ann', 'postgres')");
  const put = async (url: string, more: Readonly<Record<string, string>>): Promise<void> => {
    const answer = await fetch(url, {
      method: 'PUT',
      body: mebibyte,
      headers: { 'content-type': 'image/jpeg', ...more },
    });
    if (!answer.ok) throw new Error(`an upload was answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  const get = async (url: string): Promise<void> => {
    const bytes = await (await fetch(url, { headers: { ...headers } })).arrayBuffer();
    if (bytes.byteLength !== mebibyte.length) throw new Error(`${bytes.byteLength} bytes came`);
  };
  await put(`${base}/bench/one`, headers);
  await put(`${base}/rows/one`, headers);
  return {
    alternatives_upload_1m_presigned_p50_ms: async (n) => {
      const [row] = await callers.run<{ url: string }>(askSync, [`photo-${n}.jpg`]);
      await put(row?.url ?? '', {});
    },
    alternatives_upload_1m_rows_p50_ms: (n) => put(`${base}/rows/up-${n}`, headers),
    alternatives_download_1m_p50_ms: () => get(`${base}/bench/one`),
    alternatives_download_1m_rows_p50_ms: () => get(`${base}/rows/one`),
  };
}

const titles: Readonly<Record<string, string>> = {
  alternatives_url_sql_p50_ms: 'upload URL by SQL, get_upload_url_sync',
  alternatives_url_job_p50_ms: 'upload URL by job, polled',
  alternatives_url_pushed_p50_ms: 'upload URL by the HTTP signer as pg_net tells it',
  alternatives_url_called_p50_ms: 'upload URL by the HTTP signer as pgsql-http asks it',
  alternatives_url_edge_p50_ms: 'upload URL by the handler of the edge, in process',
  alternatives_url_notify_p50_ms: 'upload URL by LISTEN, polled',
  alternatives_upload_1m_presigned_p50_ms: '1 MiB up by a presigned URL, with asking for it',
  alternatives_upload_1m_rows_p50_ms: '1 MiB up, as rows',
  alternatives_download_1m_p50_ms: '1 MiB down',
  alternatives_download_1m_rows_p50_ms: '1 MiB down, as rows',
};

async function measured(context: BenchContext, ways: Readonly<Record<string, Way>>): Promise<readonly Measured[]> {
  const wanted = Object.entries(ways).filter(([id]) => isWanted(context, id));
  let count = 0;
  const turns = Object.fromEntries(
    wanted.map(([id, way]) => [
      id,
      async (): Promise<number> => {
        const loop = { concurrency: 1, seconds: context.seconds };
        const { p50_ms } = await closedLoop(loop, () => {
          count += 1;
          return way(count);
        });
        return p50_ms;
      },
    ]),
  );
  const samples = await inTurns(context, 'alternatives', turns);
  return wanted.map(([id]) => ({
    id,
    title: titles[id] ?? id,
    unit: 'ms',
    better: 'lower',
    values: samples[id] ?? [],
  }));
}

async function run(context: BenchContext): Promise<BenchResult> {
  const port = await freePort();
  const service = await startBenchService(context, 'alternatives', {
    HTTP_SIGNER_SECRET: secret,
    HTTP_SIGNER_PORT: String(port),
    SIGNER_SOURCE: 'notify',
    OTHER_BACKENDS: 'postgres',
  });
  const callers = new CallerTransactions(service.database.apiUrl, { connections: 1, role: claims.role, claims });
  const site = { service, callers, signerUrl: `http://127.0.0.1:${port}` };
  try {
    await service.database.query("UPDATE storage.settings SET value = '0' WHERE name LIKE 'upload_requests_%'");
    const { pushed, called } = signerWays(site);
    const figures = await measured(context, {
      alternatives_url_sql_p50_ms: (n) => callers.run(askSync, [`photo-${n}.jpg`]),
      alternatives_url_job_p50_ms: polled(site),
      alternatives_url_pushed_p50_ms: pushed,
      alternatives_url_called_p50_ms: called,
      alternatives_url_edge_p50_ms: edgeWay(site),
      ...(await transferWays(site)),
    });
    // From here on no jobs are enqueued.
    await installAlternative({ url: service.database.url, name: 'notify' });
    const notified = await measured(context, { alternatives_url_notify_p50_ms: polled(site) });
    return { figures: [...figures, ...notified] };
  } finally {
    await callers.close();
    await service.stop();
  }
}

export const alternatives: Benchmark = {
  name: 'alternatives',
  summary: 'the ways to an upload URL, and a mebibyte up and down, one caller at a time',
  needs: [],
  defaults: { seconds: 2, rounds: 3 },
  run,
};
