/**
 * Every route that names a bucket or an object, each as one request for any bucket and name. The matrix of row 59 asks
 * them all, and compares the list with the routes that the server says it has, so that a new route cannot be forgotten.
 */

export interface RouteRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ObjectRoute {
  /** As the server's description of itself spells it: `get /storage/v1/bucket/{id}`. */
  readonly route: string;
  /** A variation of the route's request. */
  readonly how?: string;
  /** Whether it says the same of a bucket whatever the name of the object. */
  readonly ofBucket?: true;
  /** The status for somebody who may; undefined where asking changes things. */
  readonly allowed?: number;
  readonly ask: (bucket: string, name: string) => RouteRequest;
}

const json = { 'content-type': 'application/json' };
const v1 = '/storage/v1';

const noVersion = '01900000-0000-7000-8000-000000000000';

const get = (path: string, headers: Readonly<Record<string, string>> = {}): RouteRequest => ({
  method: 'GET',
  path,
  headers,
});
const head = (path: string): RouteRequest => ({ method: 'HEAD', path });
const sent = (method: string, path: string, body: unknown): RouteRequest => ({
  method,
  path,
  headers: json,
  body: JSON.stringify(body),
});

/** The plain downloads, all with their variations. */
const downloads: readonly ObjectRoute[] = [`${v1}/object`, `${v1}/object/authenticated`].flatMap((base) => {
  const spelled = `${base}/{bucket}/{*}`;
  return [
    { route: `get ${spelled}`, allowed: 200, ask: (b: string, n: string) => get(`${base}/${b}/${n}`) },
    { route: `head ${spelled}`, allowed: 200, ask: (b: string, n: string) => head(`${base}/${b}/${n}`) },
    {
      route: `get ${spelled}`,
      how: 'a range',
      allowed: 206,
      ask: (b: string, n: string) => get(`${base}/${b}/${n}`, { range: 'bytes=0-3' }),
    },
    {
      route: `get ${spelled}`,
      how: 'a range beyond the end',
      allowed: 416,
      ask: (b: string, n: string) => get(`${base}/${b}/${n}`, { range: 'bytes=99999999-' }),
    },
    {
      route: `get ${spelled}`,
      how: 'only if changed',
      allowed: 304,
      ask: (b: string, n: string) => get(`${base}/${b}/${n}`, { 'if-none-match': '*' }),
    },
    {
      route: `get ${spelled}`,
      how: 'only if it is another',
      allowed: 412,
      ask: (b: string, n: string) => get(`${base}/${b}/${n}`, { 'if-match': '"x"' }),
    },
    {
      route: `get ${spelled}`,
      how: 'to be saved',
      allowed: 200,
      ask: (b: string, n: string) => get(`${base}/${b}/${n}?download=x`),
    },
  ];
});

const variants: readonly ObjectRoute[] = ['authenticated', 'public'].flatMap((kind) =>
  ['small', 'nonesuch'].flatMap((preset) => {
    const base = `${v1}/render/image/${kind}`;
    const allowed = kind === 'authenticated' ? { allowed: preset === 'small' ? 200 : 404 } : {};
    return [
      {
        route: `get ${base}/{bucket}/{*}`,
        how: preset,
        ...allowed,
        ask: (b: string, n: string) => get(`${base}/${b}/${n}?preset=${preset}`),
      },
      {
        route: `head ${base}/{bucket}/{*}`,
        how: preset,
        ...allowed,
        ask: (b: string, n: string) => head(`${base}/${b}/${n}?preset=${preset}`),
      },
    ];
  }),
);

/** Made when it is asked for. */
const renders: readonly ObjectRoute[] = ['authenticated', 'public'].flatMap((kind) => {
  const base = `${v1}/render/image/${kind}`;
  const allowed = kind === 'authenticated' ? { allowed: 200 } : {};
  const path = (b: string, n: string): string => `${base}/${b}/${n}?width=64`;
  return [
    { route: `get ${base}/{bucket}/{*}`, how: 'a size', ...allowed, ask: (b: string, n: string) => get(path(b, n)) },
    { route: `head ${base}/{bucket}/{*}`, how: 'a size', ...allowed, ask: (b: string, n: string) => head(path(b, n)) },
  ];
});

const signedBy = (token: string) => (base: string) => (b: string, n: string) => `${base}/${b}/${n}?token=${token}`;

const bySignature: readonly ObjectRoute[] = [`${v1}/object/sign`, `${v1}/render/image/sign`].flatMap((base) => {
  const at = signedBy('eyJhbGciOiJIUzI1NiJ9.eyJvcCI6ImRvd25sb2FkIn0.AAAA')(base);
  return [
    { route: `get ${base}/{bucket}/{*}`, how: 'a forged token', ask: (b: string, n: string) => get(at(b, n)) },
    { route: `head ${base}/{bucket}/{*}`, how: 'a forged token', ask: (b: string, n: string) => head(at(b, n)) },
  ];
});

const describedRoutes: readonly ObjectRoute[] = [
  ...downloads,
  ...variants,
  ...renders,
  ...bySignature,
  { route: `get ${v1}/object/public/{bucket}/{*}`, ask: (b, n) => get(`${v1}/object/public/${b}/${n}`) },
  { route: `head ${v1}/object/public/{bucket}/{*}`, ask: (b, n) => head(`${v1}/object/public/${b}/${n}`) },
  { route: `get ${v1}/object/info/{bucket}/{*}`, allowed: 200, ask: (b, n) => get(`${v1}/object/info/${b}/${n}`) },
  {
    route: `get ${v1}/object/info/authenticated/{bucket}/{*}`,
    allowed: 200,
    ask: (b, n) => get(`${v1}/object/info/authenticated/${b}/${n}`),
  },
  {
    route: `post ${v1}/object/sign/{bucket}/{*}`,
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/sign/${b}/${n}`, { expiresIn: 60 }),
  },
  {
    route: `post ${v1}/object/sign/{bucket}/{*}`,
    how: 'a variant',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/sign/${b}/${n}`, { transform: { preset: 'small' } }),
  },
  {
    route: `post ${v1}/object/sign/{bucket}/{*}`,
    how: 'a picture',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/sign/${b}/${n}`, { transform: { width: 64 } }),
  },
  {
    route: `delete ${v1}/object/sign/{bucket}/{*}`,
    ask: (b, n) => ({ method: 'DELETE', path: `${v1}/object/sign/${b}/${n}` }),
  },
  {
    route: `delete ${v1}/object/sign/{bucket}/{*}`,
    how: 'one of them',
    ask: (b, n) => ({ method: 'DELETE', path: `${v1}/object/sign/${b}/${n}?id=${'A'.repeat(32)}` }),
  },
  {
    route: `post ${v1}/object/list/{bucket}`,
    how: 'its exact name',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/list/${b}`, { search: n }),
  },
  {
    route: `post ${v1}/object/list-v2/{bucket}`,
    how: 'its exact name',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/list-v2/${b}`, { prefix: n }),
  },
  {
    route: `post ${v1}/object/list-v2/{bucket}`,
    how: 'folders, newest first',
    allowed: 200,
    ask: (b) =>
      sent('POST', `${v1}/object/list-v2/${b}`, {
        with_delimiter: true,
        sortBy: { column: 'created_at', order: 'desc' },
      }),
  },
  { route: `get ${v1}/object/zip/{bucket}`, ofBucket: true, allowed: 200, ask: (b) => get(`${v1}/object/zip/${b}`) },
  { route: `get ${v1}/object/zip/{bucket}/{*}`, allowed: 404, ask: (b, n) => get(`${v1}/object/zip/${b}/${n}`) },
  {
    route: `post ${v1}/object/zip/{bucket}`,
    how: 'some of it',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/zip/${b}`, { names: [n] }),
  },
  { route: `delete ${v1}/object/{bucket}/{*}`, ask: (b, n) => ({ method: 'DELETE', path: `${v1}/object/${b}/${n}` }) },
  {
    route: `delete ${v1}/object/{bucket}`,
    how: 'by exact names',
    ask: (b, n) => sent('DELETE', `${v1}/object/${b}`, { prefixes: [n] }),
  },
  {
    route: `delete ${v1}/object/{bucket}/{*}`,
    how: 'one of its versions',
    ask: (b, n) => ({ method: 'DELETE', path: `${v1}/object/${b}/${n}?version=${noVersion}` }),
  },
  {
    route: `get ${v1}/object/{bucket}/{*}`,
    how: 'one of its versions',
    allowed: 404,
    ask: (b, n) => get(`${v1}/object/${b}/${n}?version=${noVersion}`),
  },
  {
    route: `get ${v1}/object/versions/{bucket}/{*}`,
    allowed: 200,
    ask: (b, n) => get(`${v1}/object/versions/${b}/${n}`),
  },
  {
    route: `get ${v1}/object/versions/{bucket}`,
    allowed: 200,
    ask: (b, n) => get(`${v1}/object/versions/${b}?prefix=${n}`),
  },
  {
    route: `post ${v1}/object/restore/{bucket}/{*}`,
    allowed: 409,
    ask: (b, n) => sent('POST', `${v1}/object/restore/${b}/${n}`, {}),
  },
  {
    route: `post ${v1}/object/restore/{bucket}/{*}`,
    how: 'a version',
    allowed: 404,
    ask: (b, n) => sent('POST', `${v1}/object/restore/${b}/${n}`, { version: noVersion }),
  },
  {
    route: `get ${v1}/object/checks/{bucket}/{*}`,
    allowed: 200,
    ask: (b, n) => get(`${v1}/object/checks/${b}/${n}`),
  },
  {
    route: `get ${v1}/object/facts/{bucket}/{*}`,
    allowed: 200,
    ask: (b, n) => get(`${v1}/object/facts/${b}/${n}`),
  },
  {
    route: `patch ${v1}/object/info/{bucket}/{*}`,
    ask: (b, n) => sent('PATCH', `${v1}/object/info/${b}/${n}`, { metadata: { mine: true } }),
  },
  {
    route: `patch ${v1}/object/info/{bucket}/{*}`,
    how: 'on a condition',
    ask: (b, n) => sent('PATCH', `${v1}/object/info/${b}/${n}`, { metadata: { mine: true }, version: noVersion }),
  },
  {
    route: `post ${v1}/object/count/{bucket}`,
    how: 'its exact name',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/count/${b}`, { search: n }),
  },
  { route: `get ${v1}/object/info/public/{bucket}/{*}`, ask: (b, n) => get(`${v1}/object/info/public/${b}/${n}`) },
  {
    route: `post ${v1}/object/move`,
    how: 'to the same bucket',
    ask: (b, n) => sent('POST', `${v1}/object/move`, { bucketId: b, sourceKey: n, destinationKey: 'taken' }),
  },
  {
    route: `post ${v1}/object/move`,
    how: 'on a condition',
    ask: (b, n) => ({
      ...sent('POST', `${v1}/object/move`, { bucketId: b, sourceKey: n, destinationKey: 'taken' }),
      headers: { ...json, 'if-match': '"x"' },
    }),
  },
  {
    route: `post ${v1}/object/copy`,
    how: 'to another bucket',
    ask: (b, n) =>
      sent('POST', `${v1}/object/copy`, {
        bucketId: b,
        sourceKey: n,
        destinationBucket: 'plaza',
        destinationKey: 'taken',
      }),
  },
  ...['move-prefix', 'copy-prefix'].map((what) => ({
    route: `post ${v1}/object/${what}`,
    ask: (b: string, n: string) =>
      sent('POST', `${v1}/object/${what}`, { bucketId: b, sourcePrefix: n, destinationPrefix: 'taken/' }),
  })),
  {
    route: `post ${v1}/object/delete-prefix`,
    ask: (b, n) => sent('POST', `${v1}/object/delete-prefix`, { bucketId: b, prefix: n }),
  },
  {
    route: `put ${v1}/object/upload/sign/{bucket}/{*}`,
    how: 'a forged token',
    ask: (b, n) => ({ method: 'PUT', path: `${v1}/object/upload/sign/${b}/${n}?token=e.e.e`, body: 'mine now' }),
  },
  { route: `get ${v1}/bucket/{id}`, ofBucket: true, allowed: 200, ask: (b) => get(`${v1}/bucket/${b}`) },
  {
    route: `get ${v1}/bucket/{id}`,
    how: 'with its numbers',
    ofBucket: true,
    allowed: 200,
    ask: (b) => get(`${v1}/bucket/${b}?stats=true`),
  },
  ...['PUT', 'PATCH'].map((method) => ({
    route: `${method.toLowerCase()} ${v1}/bucket/{id}`,
    ofBucket: true as const,
    ask: (b: string) => sent(method, `${v1}/bucket/${b}`, { public: true }),
  })),
  { route: `post ${v1}/bucket/{id}/empty`, ofBucket: true, ask: (b) => sent('POST', `${v1}/bucket/${b}/empty`, {}) },
  {
    route: `delete ${v1}/bucket/{id}`,
    ofBucket: true,
    ask: (b) => ({ method: 'DELETE', path: `${v1}/bucket/${b}` }),
  },
];

/** A route that answers GET answers HEAD too, where nothing else says so; then it says no more. */
const isAsked = (route: string): boolean => describedRoutes.some((each) => each.route === route);
const impliedHeads: readonly ObjectRoute[] = describedRoutes
  .filter(({ route }) => route.startsWith('get ') && !/object\/zip/.test(route))
  .map((each) => ({
    ...each,
    route: each.route.replace('get ', 'head '),
    ask: (b: string, n: string) => ({ ...each.ask(b, n), method: 'HEAD' }),
  }))
  .filter(({ route }) => !isAsked(route));

/** Every route that names something, except uploads to a bucket that can be seen. */
export const objectRoutes: readonly ObjectRoute[] = [...describedRoutes, ...impliedHeads];

/** Uploads: in a bucket that can be seen, a taken name is refused whoever took it, and a free one is not. */
export const uploadRoutes: readonly ObjectRoute[] = [
  ...['POST', 'PUT'].map((method) => ({
    route: `${method.toLowerCase()} ${v1}/object/{bucket}/{*}`,
    ask: (b: string, n: string) => ({ method, path: `${v1}/object/${b}/${n}`, body: 'mine now' }),
  })),
];

/** Routes that name neither a bucket nor an object, or that have tests of their own, which are said. */
export const otherRoutes: readonly string[] = [
  `post ${v1}/bucket`,
  ...asHeadToo(`get ${v1}/bucket`),
  // Its answer says the names again: `signatures-terms.test.ts` compares hidden with missing.
  `post ${v1}/object/sign/{bucket}`,
  // The same: `identity-moves.test.ts` compares them.
  `post ${v1}/object/info/{bucket}`,
  // Signing learns no more of a name than uploading does: the same test.
  `post ${v1}/object/upload/sign/{bucket}/{*}`,
  // An upload in parts is asked for as any upload is, and goes by an id: `multipart-uploads.test.ts`.
  `post ${v1}/upload/multipart`,
  ...asHeadToo(`get ${v1}/upload/multipart/{upload_id}`),
  `delete ${v1}/upload/multipart/{upload_id}`,
  `post ${v1}/upload/multipart/{upload_id}/sign`,
  `post ${v1}/upload/multipart/{upload_id}/complete`,
  // Who is asked about what, and that nobody but the service is told: `explain-access.test.ts`.
  `post ${v1}/access/explain`,
  ...asHeadToo(`get ${v1}/access/policies`),
  ...asHeadToo(`get ${v1}/caller`),
  `post ${v1}/signed-urls/revoke`,
  ...asHeadToo(`get ${v1}/signed-urls`),
  // What somebody sees of it, `quotas.test.ts` says.
  ...asHeadToo(`get ${v1}/quota`),
  `put ${v1}/quota`,
  // The service role's alone, which `job-admin.test.ts` asks of each.
  ...['jobs', 'jobs/overview', 'jobs/count', 'jobs/{id}', 'health'].flatMap((path) => asHeadToo(`get ${v1}/${path}`)),
  ...['retry', 'cancel', 'delete'].map((action) => `post ${v1}/jobs/${action}`),
  `put ${v1}/jobs/queues/{queue}`,
  `get ${v1}/changes`,
  `get ${v1}/changes/stream`,
  `get ${v1}/changes/ws`,
  ...asHeadToo('get /rpc/{name}'),
  'post /rpc/{name}',
  ...['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/docs/{*}'].flatMap((path) =>
    asHeadToo(`get ${path}`),
  ),
  // The door of presigned URLs: rows 43 to 58, in `signatures-presigned.test.ts` and its neighbours.
  ...asHeadToo('get /civic-os-files/{*}'),
  'put /civic-os-files/{*}',
  // The console is a folder of files: `delivery-console.test.ts`.
  ...['/console', '/console/{*}'].flatMap((path) => asHeadToo(`get ${path}`)),
  // Preflights, which see no token.
  'options {*}',
];

function asHeadToo(route: string): readonly string[] {
  return [route, route.replace('get ', 'head ')];
}
