/**
 * A TCP proxy in front of a server, so that a test can take the server away, give it back, and harm what is said to it:
 * in front of PostgreSQL at any statement that a test can name or count, in front of anything else as a whole. It
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
import { type ArmedFault, type FaultChances, FaultDecider, type FaultPlan } from './fault-plan.ts';
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
  /** Harms statements by chance until it is told otherwise with undefined. */
  leaveToChance(chances: FaultChances | undefined): void;
  /** Refuses new connections; those that are there go on. */
  refuse(): Promise<void>;
  /** Resets every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy({ url, adminUrl }: FaultProxyOptions): Promise<FaultProxy> {
  const target = new URL(url);
  const decider = new FaultDecider();
  const sockets = new Set<Socket>();
  let connections = 0;
  let statements = 0;
  let isClosed = false;
  const accept = (client: Socket): void => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
    }
    if (!target.protocol.startsWith('postgres')) {
      carry(client, server);
      return;
    }
    connections += 1;
    new ProxiedConnection({
      number: connections,
      client,
      server,
      decide: (statement) => decider.decide(statement),
      nextPlace: () => {
        statements += 1;
        return statements;
      },
      terminate: (processId) =>
        terminateBackend(adminUrl, processId).catch((error: unknown) => {
          // A test that is over drops its database, and whoever is still connected to it.
          if (!isClosed) throw error;
        }),
    });
  };
  const door = new Door(accept);
  const cut = async (): Promise<void> => {
    door.shut();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  await door.open();
  return {
    port: door.port,
    get statements() {
      return statements;
    },
    through: (direct) => {
      const through = new URL(direct);
      through.hostname = '127.0.0.1';
      through.port = String(door.port);
      return through.href;
    },
    arm: (plan) => decider.arm(plan),
    leaveToChance: (chances) => decider.leaveToChance(chances),
    refuse: async () => door.shut(),
    cut,
    restore: () => door.open(),
    close: async () => {
      isClosed = true;
      await cut();
    },
  };
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

/** Carries bytes both ways without looking at them. */
function carry(client: Socket, server: Socket): void {
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
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
