/**
 * A TCP proxy in front of a server, so that a test can take the server away, give it back, and harm what is said to it:
 * in front of PostgreSQL at any statement that a test can name or count, in front of anything else at any byte. It
 * speaks no protocol of its own. Invariant: nothing is harmed that was not asked for.
 *
 * In front of PostgreSQL it counts statements: one Query, or everything up to one Sync; not what opens a connection.
 * Clients' wish for encryption is refused, as a server without certificates does.
 *
 *     const proxy = await startFaultProxy({ url: database.apiUrl, adminUrl: database.url });
 *     const armed = proxy.arm({ at: 3, fault: { kind: 'cut_after' }, matching: ({ text }) => text.includes('upload') });
 *     // … use proxy.through(database.apiUrl) …
 *     armed.struck; // the statement that was struck, undefined when there was no third one
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { type ArmedByteFault, type ByteFault, ByteFaults, carry } from './carried-connection.ts';
import {
  type ArmedFault,
  type FaultChances,
  FaultDecider,
  type FaultPlan,
  type FreezePlan,
  type Frozen,
} from './fault-plan.ts';
import type { Pace } from './paced-writer.ts';
import { ProxiedConnection } from './proxied-connection.ts';

export interface FaultProxyOptions {
  /** A URL of the server that stands behind the proxy; `postgres://` makes it understand statements. */
  readonly url: string;
  /** A URL of a role that may terminate backends, for the fault `terminate`. */
  readonly adminUrl?: string;
}

export interface FaultProxy {
  readonly port: number;
  /** How many statements were sent since the start. */
  readonly statements: number;
  /** A URL of the server behind, as it is through this proxy. */
  through(url: string): string;
  /** Harms one statement; a plan replaces the plan before. */
  arm(plan: FaultPlan): ArmedFault;
  /** Harms what goes to or comes from anything but PostgreSQL, after so many bytes; replaces the fault before. */
  armBytes(fault: ByteFault): ArmedByteFault;
  /** Harms statements by chance until it is told otherwise with undefined. */
  leaveToChance(chances: FaultChances | undefined): void;
  /** Makes connections that are there half-open: they carry nothing any more, and nobody is told. */
  freeze(plan: FreezePlan): Frozen;
  /** Has what is sent from now on, on every connection, arrive at a pace; undefined: at once and whole. */
  pace(pace: Pace | undefined): void;
  /** Refuses new connections; those that are there go on. */
  refuse(): Promise<void>;
  /** Accepts new connections and never says a word to them; those that are there go on. */
  mute(): void;
  /** Resets every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts and serves connections again, on the same port. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new StatementProxy(options);
  await proxy.restore();
  return proxy;
}

class StatementProxy implements FaultProxy {
  readonly #target: URL;
  readonly #adminUrl: string | undefined;
  readonly #decider = new FaultDecider();
  readonly #byteFaults = new ByteFaults();
  readonly #door = new Door((client) => this.#accept(client));
  readonly #sockets = new Set<Socket>();
  readonly #proxied = new Set<ProxiedConnection>();
  #connections = 0;
  #statements = 0;
  #pace: Pace | undefined;
  #isMute = false;
  #isClosed = false;

  constructor({ url, adminUrl }: FaultProxyOptions) {
    this.#target = new URL(url);
    this.#adminUrl = adminUrl;
  }

  get port(): number {
    return this.#door.port;
  }

  get statements(): number {
    return this.#statements;
  }

  through(direct: string): string {
    const through = new URL(direct);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.href;
  }

  arm(plan: FaultPlan): ArmedFault {
    return this.#decider.arm(plan);
  }

  armBytes(fault: ByteFault): ArmedByteFault {
    return this.#byteFaults.arm(fault);
  }

  leaveToChance(chances: FaultChances | undefined): void {
    this.#decider.leaveToChance(chances);
  }

  freeze({ direction, matching = () => true }: FreezePlan): Frozen {
    const frozen = [...this.#proxied].filter((connection) => !connection.isOver && matching(connection.seen));
    for (const connection of frozen) connection.freeze(direction);
    return {
      connections: frozen.map(({ seen }) => seen),
      thaw: () => {
        for (const connection of frozen) connection.thaw();
      },
    };
  }

  pace(pace: Pace | undefined): void {
    this.#pace = pace;
  }

  async refuse(): Promise<void> {
    this.#door.shut();
  }

  mute(): void {
    this.#isMute = true;
  }

  async cut(): Promise<void> {
    this.#door.shut();
    for (const socket of this.#sockets) {
      // Node 20 cannot reset what it has half closed: it would spin for ever at the end of the process.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  async restore(): Promise<void> {
    this.#isMute = false;
    await this.#door.open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.cut();
  }

  #accept(client: Socket): void {
    if (this.#isMute) {
      client.on('error', () => undefined); // an error is followed by 'close'
      this.#remember(client.pause());
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    this.#remember(client);
    this.#remember(server);
    if (this.#target.protocol.startsWith('postgres')) this.#understand(client, server);
    else carry(client, server, { faults: this.#byteFaults, pace: () => this.#pace });
  }

  #remember(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #understand(client: Socket, server: Socket): void {
    this.#connections += 1;
    const connection = new ProxiedConnection({
      number: this.#connections,
      client,
      server,
      decide: (statement) => this.#decider.decide(statement),
      nextPlace: () => {
        this.#statements += 1;
        return this.#statements;
      },
      terminate: (processId) =>
        terminateBackend(this.#adminUrl, processId).catch((error: unknown) => {
          // A test that is over drops its database, and whoever is still connected to it.
          if (!this.#isClosed) throw error;
        }),
      pace: () => this.#pace,
    });
    this.#proxied.add(connection);
    client.on('close', () => this.#proxied.delete(connection));
  }
}

/** Where clients come in: one port for as long as the proxy lives, open or shut. */
class Door {
  readonly #accept: (client: Socket) => void;
  #listener: Server | undefined;
  port = 0;

  constructor(accept: (client: Socket) => void) {
    this.#accept = accept;
  }

  async open(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer(this.#accept);
    this.#listener = listener;
    listener.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    this.port = typeof address === 'object' && address !== null ? address.port : this.port;
  }

  /** Shut for new ones at once; that the last connection has ended is not waited for. */
  shut(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }
}

async function terminateBackend(adminUrl: string | undefined, processId: number): Promise<void> {
  if (adminUrl === undefined) throw new Error('The fault "terminate" needs adminUrl.');
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query('SELECT pg_terminate_backend($1, 5000)', [processId]);
  } finally {
    await admin.end();
  }
}
