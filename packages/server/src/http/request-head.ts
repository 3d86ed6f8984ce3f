/** What the head of a request must be before anything else looks at it. The parser has said already that it is HTTP. */
import type { IncomingMessage } from 'node:http';
import { RowlockError } from '@rowlock/client/contract';
import type { ConnectionLimits } from './connection-limits.ts';

const hostText = /^(?:[A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** A target that has a host of its own (RFC 9112, section 3.2.2). */
const absoluteTarget = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/** Names by which some frameworks let a header replace the method; what checks requests before us does not see it. */
const methodOverrides: readonly string[] = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** @throws RowlockError `uri_too_long`, `headers_too_large`, `invalid_request`, `not_implemented` */
export function assertHead(request: IncomingMessage, limits: ConnectionLimits): void {
  if ((request.url?.length ?? 0) > limits.url_bytes_max) {
    throw new RowlockError('uri_too_long', `A URL has at most ${limits.url_bytes_max} bytes`);
  }
  if (request.rawHeaders.length / 2 > limits.headers_max) {
    throw new RowlockError('headers_too_large', `A request has at most ${limits.headers_max} headers`);
  }
  assertVersion(request);
  assertHost(request);
  if (methodOverrides.some((name) => request.headers[name] !== undefined)) {
    throw new RowlockError('not_implemented', 'No header replaces the method of a request');
  }
}

/** What the parser leaves to us of versions and of what they may expect. */
function assertVersion({ headers, httpVersion }: IncomingMessage): void {
  const encoding = headers['transfer-encoding'];
  if (httpVersion !== '1.1' && (httpVersion !== '1.0' || encoding !== undefined)) {
    throw new RowlockError('invalid_request', 'Send requests of HTTP/1.1, or of 1.0 with a length');
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') {
    throw new RowlockError('not_implemented', 'The only transfer coding is chunked');
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new RowlockError('invalid_request', 'There is nothing to expect but 100-continue');
  }
}

/** One host, and one that can stand in a URL: the base of URLs in answers may be made of it. */
function assertHost({ headers, rawHeaders, httpVersion, url = '' }: IncomingMessage): void {
  if (headers.host === undefined) {
    if (httpVersion === '1.1') throw new RowlockError('invalid_request', 'A request names its host');
    return;
  }
  if (!hostText.test(headers.host)) {
    throw new RowlockError('invalid_request', 'The host is no host');
  }
  if (rawHeaders.filter((text, place) => place % 2 === 0 && text.toLowerCase() === 'host').length > 1) {
    throw new RowlockError('invalid_request', 'A request names one host');
  }
  // Whoever stands before us may have gone by the other.
  const target = absoluteTarget.exec(url);
  if (target !== null && target[1]?.toLowerCase() !== headers.host.toLowerCase()) {
    throw new RowlockError('invalid_request', 'The target names another host than the request does');
  }
}
