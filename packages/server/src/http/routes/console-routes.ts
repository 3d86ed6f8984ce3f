/**
 * The console's files under `/console/`, and the packages that it imports under `/console/client/` and
 * `/console/elements/`. All of them are read once, before the first request: what is not in that list is not there, so
 * no path of a request reaches the disk.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { withModulePreloads } from '../module-preloads.ts';
import { formOf, type SiteFile, siteFile } from '../site-file.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const base = '/console/';

/** Reads the files of a folder that a browser is to have, by their paths below `prefix`. */
async function readSite(folder: string, prefix: string): Promise<readonly (readonly [string, SiteFile])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.flatMap((path) => {
      const type = types[extname(path)];
      if (type === undefined || path.endsWith('.test.js')) {
        return [];
      }
      return [
        readFile(path).then(
          (body) => [prefix + relative(folder, path).split(sep).join('/'), siteFile(body, type)] as const,
        ),
      ];
    }),
  );
}

/**
 * What a page of the console may load: itself. The one inline script is its import map, which browsers take from
 * nowhere else; it is allowed by its hash. Parts of large files go straight to their stores, whose origins are given.
 */
function contentSecurityPolicy(page: Buffer, partOrigins: readonly string[]): string {
  const maps = page.toString().matchAll(/<script type="importmap">(.*?)<\/script>/gs);
  const hashes = [...maps].map(([, map = '']) => `'sha256-${createHash('sha256').update(map).digest('base64')}'`);
  return [
    "default-src 'none'",
    ["script-src 'self'", ...hashes].join(' '),
    "style-src 'self'",
    "img-src 'self' blob:",
    // Films and sound, by signed URLs of this service.
    "media-src 'self'",
    ["connect-src 'self'", ...new Set(partOrigins)].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, partOrigins }: { readonly file: SiteFile; readonly partOrigins: readonly string[] },
): Promise<FastifyReply> {
  const form = await formOf(file, request.headers['accept-encoding']);
  reply
    .header('etag', form.etag)
    .header('vary', 'accept-encoding')
    .header('cache-control', 'no-cache')
    .header('x-content-type-options', 'nosniff')
    .header('cross-origin-resource-policy', 'same-origin');
  if (/html|svg/.test(file.type)) {
    // What can be opened as a page. Scripts and styles are none, and many: they go without what does not bind them.
    reply
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('x-frame-options', 'DENY')
      .header(
        'content-security-policy',
        file.type.startsWith('text/html') ? contentSecurityPolicy(file.body, partOrigins) : "default-src 'none'",
      );
  }
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(form.etag)) {
    return reply.code(304).send();
  }
  if (form.encoding !== undefined) {
    reply.header('content-encoding', form.encoding);
  }
  return reply
    .type(file.type)
    .header('content-length', String(form.body.byteLength))
    .send(request.method === 'HEAD' ? undefined : form.body);
}

function folderOf(moduleUrl: string): string {
  return dirname(fileURLToPath(moduleUrl));
}

/**
 * Registers the console whose built site is in `folder`; its page may put parts of files at the origins of their stores.
 *
 * @throws Error with code ENOENT where the folder, the built client or the built elements are not there
 */
export async function consoleRoutes(
  app: FastifyInstance,
  folder: string,
  partOrigins: readonly string[] = [],
): Promise<void> {
  const files = new Map([
    ...(await readSite(folder, '')),
    ...(await readSite(folderOf(import.meta.resolve('@rowlock/client')), 'client/')),
    ...(await readSite(folderOf(import.meta.resolve('@rowlock/elements')), 'elements/')),
  ]);
  const page = files.get('index.html');
  if (page !== undefined) {
    files.set('index.html', siteFile(Buffer.from(withModulePreloads(page.body.toString(), files)), page.type));
  }
  const schema = { hide: true };

  app.get('/console', { schema }, (_request, reply) => reply.redirect('console/', 308));
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: `${base}*`,
    schema,
    handler: async (request, reply) => {
      const file = files.get(request.params['*'] === '' ? 'index.html' : request.params['*']);
      if (file === undefined) {
        throw new RowlockError('route_not_found', 'The console has no such file');
      }
      return sendFile(request, reply, { file, partOrigins });
    },
  });
}
