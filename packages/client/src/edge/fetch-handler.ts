/**
 * The signer as a `fetch` handler, for Cloudflare Workers and whatever else speaks the web's own Request and Response:
 * `export default createFetchHandler(config)`. It routes and translates; it decides nothing.
 */
import { type EdgeAnswer, EdgeSigner, type EdgeSignerConfig } from './edge-signer.ts';

export interface FetchHandler {
  /** `POST /presign`, `POST /presign/batch`, `GET /health`. */
  fetch(request: Request): Promise<Response>;
}

/** No more than this is read of a body. */
const bodyBytesMax = 1_200_000;

/** Makes the handler. @throws TypeError */
export function createFetchHandler(config: EdgeSignerConfig): FetchHandler {
  const signer = new EdgeSigner(config);
  return {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/health' && request.method === 'GET') return Response.json({ status: 'healthy' });
      const answer = await answerOf(signer, pathname, request);
      return new Response(answer.status === 204 ? null : answer.body, answer);
    },
  };
}

async function answerOf(signer: EdgeSigner, pathname: string, request: Request): Promise<EdgeAnswer> {
  if (pathname !== '/presign' && pathname !== '/presign/batch') return signer.unknownRoute();
  const read = {
    method: request.method,
    authorization: request.headers.get('authorization') ?? undefined,
    body: await bodyOf(request),
  };
  return await (pathname === '/presign' ? signer.presignUpload(read) : signer.presignDownloads(read));
}

/** The body as text; of one that is too long, as much as shows that. */
async function bodyOf(request: Request): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined && length <= bodyBytesMax) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    length += value.length;
  }
  if (length > bodyBytesMax) await reader?.cancel();
  return new TextDecoder().decode(await new Blob(pieces as BlobPart[]).arrayBuffer());
}
