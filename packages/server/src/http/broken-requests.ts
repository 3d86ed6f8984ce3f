/**
 * Answers to what is no request: bytes that Node's parser refuses, heads that do not end. It writes to sockets by itself,
 * so it knows which answer of the application a socket is waiting for, and never speaks in its place.
 */
import { randomUUID } from 'node:crypto';
import { METHODS, type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorBody, RowlockError } from '@rowlock/client/contract';
import type { Observe } from '../domain/observation.ts';
import type { ConnectionLimits } from './connection-limits.ts';

interface ParserError extends Error {
  readonly code?: string;
  /** The packet that the parser was given last. */
  readonly rawPacket?: Buffer;
}

const noRequest = 'This is no request of HTTP/1.1';

/** What a caller may know of an error of the parser; undefined when there is nobody to tell. */
function parserRefusal(error: ParserError): RowlockError | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECANCELED':
    case 'ETIMEDOUT':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RowlockError('request_timeout', 'The request did not come in time');
    case 'HPE_HEADER_OVERFLOW':
      return isRequestLine(error.rawPacket)
        ? new RowlockError('uri_too_long', 'The URL is too long')
        : new RowlockError('headers_too_large', 'The headers are too large');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RowlockError('too_large', 'The chunk extensions are too large');
    case 'HPE_INVALID_METHOD':
      return isUnknownMethod(error.rawPacket)
        ? new RowlockError('not_implemented', 'There is no such method')
        : new RowlockError('invalid_request', noRequest);
    default:
      return new RowlockError('invalid_request', noRequest);
  }
}

/** Whether a packet is the beginning of a request whose first line does not end in it. */
function isRequestLine(packet: Buffer | undefined): boolean {
  return packet !== undefined && !packet.includes('\n') && /^[A-Z-]{3,16} /.test(packet.toString('latin1', 0, 17));
}

/** Whether a packet begins with a request whose method nobody knows: Node says the same of a TLS handshake. */
function isUnknownMethod(packet: Buffer | undefined): boolean {
  const [, method] = /^([A-Z-]{1,24}) [/*]\S* HTTP\/1\.[01]\r?\n/.exec(packet?.toString('latin1', 0, 512) ?? '') ?? [];
  return method !== undefined && !METHODS.includes(method);
}

/** The error answer as it goes over the wire; the connection ends with it. */
function wireAnswer(error: RowlockError, requestId: string): string {
  const body = JSON.stringify(errorBody(error.reason, error.message));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    `date: ${new Date().toUTCString()}`,
    'content-type: application/json; charset=utf-8',
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    `x-rowlock-reason: ${error.reason}`,
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

export class BrokenRequests {
  readonly #limits: ConnectionLimits;
  readonly #observe: Observe;
  /** The answer that was begun last on each socket. */
  readonly #latest: WeakMap<Duplex, ServerResponse> = new WeakMap();
  /** Sockets that have their last answer, and how many bytes had been read then. */
  readonly #closing: WeakMap<Duplex, number> = new WeakMap();

  constructor(limits: ConnectionLimits, observe: Observe) {
    this.#limits = limits;
    this.#observe = observe;
  }

  /** Takes note of an answer that the application owes. */
  remember(response: ServerResponse): void {
    this.#latest.set(response.req.socket, response);
  }

  /** Answers an error of the parser after all answers that came before it, and closes. */
  answer(error: ParserError, socket: Duplex): void {
    const readBefore = this.#closing.get(socket);
    if (readBefore !== undefined) {
      this.#stopReading(socket, readBefore);
      return;
    }
    const refusal = parserRefusal(error);
    if (refusal === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const owed = this.#latest.get(socket);
    if (owed === undefined || owed.writableFinished) {
      this.refuse(socket, refusal);
    } else if (owed.req.complete) {
      this.#closing.set(socket, bytesRead(socket));
      owed.once('finish', () => this.refuse(socket, refusal));
    } else if (owed.headersSent || owed.socket !== socket) {
      socket.destroy(); // inside an answer, or before somebody else's
    } else {
      this.refuse(socket, refusal);
    }
  }

  /** Writes an error as the last answer of a connection. */
  refuse(socket: Duplex, error: RowlockError): void {
    const requestId = randomUUID();
    const { status, reason } = error;
    const unknown = { method: 'unknown', route: 'unknown', duration_ms: 0 };
    this.#observe({ type: 'request', ...unknown, status, reason, request_id: requestId });
    this.#closing.set(socket, bytesRead(socket));
    socket.once('error', () => socket.destroy()); // Node has let go of the socket of a CONNECT
    socket.end(wireAnswer(error, requestId));
    const timer = setTimeout(() => socket.destroy(), this.#limits.unread_ms);
    socket.once('close', () => clearTimeout(timer));
  }

  /** What a client sends after its last answer is read for a while, since a reset could take the answer from it. */
  #stopReading(socket: Duplex, readBefore: number): void {
    if (bytesRead(socket) - readBefore > this.#limits.unread_bytes_max) {
      socket.pause();
    }
  }
}

function bytesRead(socket: Duplex): number {
  return socket instanceof Socket ? socket.bytesRead : 0;
}
