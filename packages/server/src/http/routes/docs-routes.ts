/**
 * The description of the API: as JSON, and as a page for browsing that loads nothing from anywhere else. Both say what
 * every copy of Rowlock says, and nothing of this one. Invariant: the page runs under the policy of the console.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rowlock API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
`;

/** Paths keep their slashes: Swagger UI would escape them in what it tries out. */
const start = `'use strict';
SwaggerUIBundle({
  url: '../openapi.json',
  dom_id: '#page',
  deepLinking: true,
  validatorUrl: null,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  requestInterceptor: (request) => ({
    ...request,
    url: request.loadSpec ? request.url : request.url.replaceAll('%2F', '/'),
  }),
});
`;

/** What Swagger UI needs of a browser: its own files, and pictures that its style sheet carries. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const asPage = (body: string | Buffer, type: string): PageFile => ({
  body: Buffer.from(body),
  type: `${type}; charset=utf-8`,
  etag: `"${createHash('sha256').update(body).digest('hex')}"`,
});

/** Reads the page once; nothing of a request reaches the disk. */
async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = new URL('static/', import.meta.resolve('@fastify/swagger-ui'));
  const [style, bundle] = await Promise.all(
    ['swagger-ui.css', 'swagger-ui-bundle.js'].map((name) => readFile(new URL(name, folder))),
  );
  return new Map([
    ['', asPage(page, 'text/html')],
    ['start.js', asPage(start, 'text/javascript')],
    ['swagger-ui.css', asPage(style ?? '', 'text/css')],
    ['swagger-ui-bundle.js', asPage(bundle ?? '', 'text/javascript')],
  ]);
}

/** Registers `/openapi.json`, and `/docs/` where the page is wanted. */
export async function docsRoutes(app: FastifyInstance, withPage: boolean): Promise<void> {
  const schema = { hide: true };
  app.get('/openapi.json', { schema }, (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
  if (!withPage) return;
  const files = await readPage();
  app.get('/docs', { schema }, (_request, reply) => reply.redirect('docs/', 308));
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: '/docs/*',
    schema,
    handler: async (request, reply) => {
      const file = files.get(request.params['*']);
      if (file === undefined) {
        throw new RowlockError('route_not_found', 'The description has no such file');
      }
      return sendPage(request, reply, file);
    },
  });
}

function sendPage(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  reply
    .header('etag', file.etag)
    .header('cache-control', 'no-cache')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('cross-origin-resource-policy', 'same-origin')
    .header('x-frame-options', 'DENY')
    .header('content-security-policy', contentSecurityPolicy);
  if (request.headers['if-none-match'] === file.etag) {
    return reply.code(304).send();
  }
  return reply
    .type(file.type)
    .header('content-length', String(file.body.byteLength))
    .send(request.method === 'HEAD' ? undefined : file.body);
}
