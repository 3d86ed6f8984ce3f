/**
 * Writes to a socket in pieces: a slow line, or one that cuts messages where it likes. It knows no protocol. Invariant:
 * whatever the pace, and even where it changes on the way, the bytes and their order are those that were written.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

/** How bytes travel. */
export interface Pace {
  /** How many bytes the next piece has, at least 1. Default: all there are. */
  readonly pieceBytes?: () => number;
  /** How long to wait before each piece. Default: a turn of the event loop, so that pieces arrive as such. */
  readonly pauseMs?: number;
}

/** A socket that is written at a pace, or as it comes while there is none. */
export class PacedWriter {
  readonly #socket: Socket;
  readonly #pace: () => Pace | undefined;
  #waiting: Buffer[] = [];
  #isBusy = false;

  /** `pace` returns the pace that counts now. */
  constructor(socket: Socket, pace: () => Pace | undefined) {
    this.#socket = socket;
    this.#pace = pace;
  }

  write(bytes: Buffer): void {
    if (!this.#isBusy && this.#pace() === undefined) {
      this.#socket.write(bytes);
      return;
    }
    this.#waiting.push(bytes);
    if (!this.#isBusy) void this.#drip();
  }

  async #drip(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0 && !this.#socket.destroyed) {
      const { pieceBytes = () => Number.POSITIVE_INFINITY, pauseMs } = this.#pace() ?? {};
      await (pauseMs === undefined ? turn() : delay(pauseMs));
      const rest = Buffer.concat(this.#waiting);
      const piece = rest.subarray(0, pieceBytes());
      this.#waiting = piece.length < rest.length ? [rest.subarray(piece.length)] : [];
      this.#socket.write(piece);
    }
    this.#waiting = [];
    this.#isBusy = false;
  }
}
