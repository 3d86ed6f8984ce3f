/**
 * The built application as files: what `ng build` wrote, and the page for every address that is the router's. The page may
 * load from itself and from Rowlock, and runs no script and no style of anybody else; a nonce is new for each answer.
 */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
/** What stands in the built page where the nonce of an answer belongs. */
const noncePlaceholder = /__nonce__/g;

/** Answers GET requests from a folder; `rowlockUrl` is where photos come from and go to. */
export function createSite(folder, rowlockUrl) {
  return async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://site').pathname));
    const file = join(folder, path);
    if (path.endsWith('.html') || !(await isFile(file))) {
      // Of the first page its frame is rendered by the build; the others are the router's.
      await sendPage(response, join(folder, path === '/' ? 'index.html' : 'index.csr.html'), rowlockUrl);
      return;
    }
    response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream');
    response.setHeader('x-content-type-options', 'nosniff');
    // The names of built files carry a hash of what is in them.
    const isHashed = /-[A-Z0-9]{8}\.(?:js|css)$/.test(path);
    response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    response.end(await readFile(file));
  };
}

async function sendPage(response, file, rowlockUrl) {
  const nonce = randomBytes(16).toString('base64');
  const page = await readFile(file, 'utf8');
  response.writeHead(200, {
    'content-type': types['.html'],
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'self' 'nonce-${nonce}'`,
      `img-src 'self' data: blob: ${rowlockUrl}`,
      `connect-src 'self' ${rowlockUrl}`,
      "base-uri 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; '),
  });
  response.end(page.replace(noncePlaceholder, nonce));
}

async function isFile(path) {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
