/**
 * A `fetch` that says how many bytes of a body have left, in browsers, where only XMLHttpRequest knows. It follows no redirect by
 * itself and reads the whole answer. Invariant: what aborts it ends its request.
 */

/** Answers without a body by definition: the constructor of Response refuses one. */
const withoutBody = new Set([204, 205, 304]);

/** Whether this is a page, where it works. */
export function canTell(): boolean {
  return typeof document !== 'undefined' && typeof XMLHttpRequest !== 'undefined';
}

/** Sends as `fetch` does, and calls `onSent` as bytes leave. Rejects with TypeError where nothing answers, or the signal's reason. */
export function tellingFetch(url: string, init: RequestInit, onSent: (bytes: number) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { signal } = init;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.upload.addEventListener('progress', ({ loaded }) => onSent(loaded));
    request.addEventListener('load', () => resolve(answerOf(request)));
    request.addEventListener('error', () => reject(new TypeError('The connection was lost')));
    request.addEventListener('abort', () => reject(signal?.reason));
    request.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
    signal?.addEventListener('abort', abort);
    request.open(init.method ?? 'GET', url);
    new Headers(init.headers).forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.send((init.body ?? null) as XMLHttpRequestBodyInit | null);
  });
}

function answerOf(request: XMLHttpRequest): Response {
  const { status, statusText, responseText } = request;
  const headers = new Headers();
  for (const line of request
    .getAllResponseHeaders()
    .trim()
    .split(/[\r\n]+/)) {
    const [name = '', value = ''] = line.split(/: ?(.*)/s);
    if (name !== '') headers.append(name, value);
  }
  return new Response(withoutBody.has(status) ? null : responseText, { status, statusText, headers });
}
