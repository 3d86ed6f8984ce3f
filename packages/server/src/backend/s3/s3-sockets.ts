/**
 * Connections to a store that end when nothing moves on them for too long. A slow reader of a download is not the
 * store's silence: while bytes wait here to be read, its connection stays. Invariant: no connection that waits for the
 * store waits for ever.
 */
import { type AgentOptions, type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Duplex, Readable } from 'node:stream';

/** Downloads that are read slowly hold one each. */
const socketsMax = 512;

interface TimedSocket extends Duplex {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  setTimeout(ms: number): unknown;
}

/** The agents of one store's connections. */
export class PatientSockets {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  readonly #idleMs: number;
  readonly #bodies = new WeakMap<object, Readable>();

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
    const options = { keepAlive: true, maxSockets: socketsMax, timeout: idleMs };
    this.http = new WatchedHttpAgent(options, (socket) => this.#watch(socket));
    this.https = new WatchedHttpsAgent(options, (socket) => this.#watch(socket));
  }

  /** Tells of a body that is being read from a connection, so that its reader may take its time. */
  reading(body: Readable): void {
    const socket: unknown = Reflect.get(body, 'socket');
    if (typeof socket !== 'object' || socket === null) return;
    this.#bodies.set(socket, body);
    body.once('close', () => this.#bodies.delete(socket));
  }

  destroy(): void {
    this.http.destroy();
    this.https.destroy();
  }

  #watch(socket: TimedSocket): void {
    socket.on('timeout', () => {
      // After a pause of this process the timer is first, and what has come meanwhile is read only now.
      const moved = socket.bytesRead + socket.bytesWritten;
      setImmediate(() => {
        if (!socket.destroyed) this.#judge(socket, moved);
      });
    });
  }

  #judge(socket: TimedSocket, moved: number): void {
    const body = this.#bodies.get(socket);
    if (socket.bytesRead + socket.bytesWritten > moved || (body !== undefined && body.readableLength > 0)) {
      socket.setTimeout(this.#idleMs); // it is not the store, or no more; look again later
      return;
    }
    const says = `nothing has moved on the connection to the store for ${this.#idleMs} ms`;
    const error = Object.assign(new Error(says), { code: 'ETIMEDOUT' });
    body?.destroy(error);
    socket.destroy(error);
  }
}

type Watch = (socket: TimedSocket) => void;
type Made = Duplex | null | undefined;
type OnMade = (error: Error | null, socket: Duplex) => void;

/** Agents that show every connection they make. */
class WatchedHttpAgent extends HttpAgent {
  readonly #watch: Watch;

  constructor(options: AgentOptions, watch: Watch) {
    super(options);
    this.#watch = watch;
  }

  override createConnection(options: ClientRequestArgs, callback?: OnMade): Made {
    return shown(super.createConnection(options, callback), this.#watch);
  }
}

class WatchedHttpsAgent extends HttpsAgent {
  readonly #watch: Watch;

  constructor(options: AgentOptions, watch: Watch) {
    super(options);
    this.#watch = watch;
  }

  override createConnection(options: RequestOptions, callback?: OnMade): Made {
    return shown(super.createConnection(options, callback), this.#watch);
  }
}

function shown(socket: Made, watch: Watch): Made {
  if (socket !== null && socket !== undefined && isTimed(socket)) watch(socket);
  return socket;
}

function isTimed(socket: Duplex): socket is TimedSocket {
  return 'setTimeout' in socket;
}
