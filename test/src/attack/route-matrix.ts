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

const signedBy = (token: string) => (base: string) => (b: string, n: string) => `${base}/${b}/${n}?token=${token}`;

const bySignature: readonly ObjectRoute[] = [`${v1}/object/sign`, `${v1}/render/image/sign`].flatMap((base) => {
  const at = signedBy('eyJhbGciOiJIUzI1NiJ9.eyJvcCI6ImRvd25sb2FkIn0.AAAA')(base);
  return [
    { route: `get ${base}/{bucket}/{*}`, how: 'a forged token', ask: (b: string, n: string) => get(at(b, n)) },
    { route: `head ${base}/{bucket}/{*}`, how: 'a forged token', ask: (b: string, n: string) => head(at(b, n)) },
  ];
});

/** Every route below `/storage/v1` that names something, except uploads to a bucket that can be seen. */
export const objectRoutes: readonly ObjectRoute[] = [
  ...downloads,
  ...variants,
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
    route: `post ${v1}/object/list/{bucket}`,
    how: 'its exact name',
    allowed: 200,
    ask: (b, n) => sent('POST', `${v1}/object/list/${b}`, { search: n }),
  },
  { route: `delete ${v1}/object/{bucket}/{*}`, ask: (b, n) => ({ method: 'DELETE', path: `${v1}/object/${b}/${n}` }) },
  {
    route: `delete ${v1}/object/{bucket}`,
    how: 'by exact names',
    ask: (b, n) => sent('DELETE', `${v1}/object/${b}`, { prefixes: [n] }),
  },
  { route: `get ${v1}/bucket/{id}`, ofBucket: true, allowed: 200, ask: (b) => get(`${v1}/bucket/${b}`) },
  {
    route: `delete ${v1}/bucket/{id}`,
    ofBucket: true,
    ask: (b) => ({ method: 'DELETE', path: `${v1}/bucket/${b}` }),
  },
];

/** Uploads: in a bucket that can be seen, a taken name is refused whoever took it, and a free one is not. */
export const uploadRoutes: readonly ObjectRoute[] = ['POST', 'PUT'].map((method) => ({
  route: `${method.toLowerCase()} ${v1}/object/{bucket}/{*}`,
  ask: (b: string, n: string) => ({ method, path: `${v1}/object/${b}/${n}`, body: 'mine now' }),
}));

/** Routes that name neither a bucket nor an object; functions have tests of their own. */
export const otherRoutes: readonly string[] = [
  `post ${v1}/bucket`,
  `get ${v1}/bucket`,
  'get /rpc/{name}',
  'post /rpc/{name}',
  'get /healthz',
  'get /readyz',
  'get /metrics',
];
