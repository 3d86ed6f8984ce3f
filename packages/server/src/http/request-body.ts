/**
 * Bodies of uploads as streams. A client that sends `Expect: 100-continue` is told to go on only when somebody begins to
 * read, so a refused upload costs it no bytes.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const waiting: WeakMap<IncomingMessage, ServerResponse> = new WeakMap();

/** Lets requests that expect 100-continue through to the routes, their bodies not yet asked for. */
export function holdContinue(
  server: Server,
  route: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    route(request, response);
  });
}

/** Whether the client still waits to be told that it may send its body. */
export function isHeldBack(request: IncomingMessage): boolean {
  return waiting.has(request);
}

/** The body as it arrives. Leaving it early keeps the socket, so that the refusal can be answered. */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  const response = waiting.get(request);
  if (response !== undefined) {
    waiting.delete(request);
    response.writeContinue();
  }
  yield* request.iterator({ destroyOnReturn: false });
}
