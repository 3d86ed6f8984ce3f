/**
 * What a process does that has no file descriptor left: it gives up connections that only wait, of clients and to the
 * database, at once instead of when they time out.
 */
import type { FastifyReply } from 'fastify';

/** How long every answer ends its connection after a descriptor was missing, in milliseconds. */
const shortageMs = 1000;

/** The connections that can be given up while nobody uses them. */
export interface IdleConnections {
  readonly closeClients: () => void;
  readonly closeDatabase: () => void;
}

/**
 * Gives up what waits, and for a second whatever comes to rest: without descriptors not even a connection is accepted,
 * so that no further request would ask for relief.
 */
export class DescriptorRelief {
  readonly #idle: IdleConnections;
  #shortage: NodeJS.Timeout | undefined;

  constructor(idle: IdleConnections) {
    this.#idle = idle;
  }

  /** Gives up what waits. Call it where a descriptor was missing. */
  relieve(): void {
    this.#idle.closeClients();
    this.#idle.closeDatabase();
    this.#shortage ??= setTimeout(() => {
      this.#shortage = undefined;
      this.#idle.closeDatabase();
    }, shortageMs).unref();
  }

  /** Lets an answer end its connection while descriptors are short. */
  endConnection(reply: FastifyReply): void {
    if (this.#shortage !== undefined) reply.header('connection', 'close');
  }
}
