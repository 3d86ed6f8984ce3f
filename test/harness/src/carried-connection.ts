/**
 * Carries bytes between a client and a server without understanding them: as they come, or at a pace, or cut off after
 * so many bytes, as a line does that breaks in the middle of an answer. Invariant: until a fault strikes, the bytes and
 * their order are those that were sent, and a side that reads slowly slows the other down.
 */
import type { Socket } from 'node:net';
import { type Pace, PacedWriter } from './paced-writer.ts';

/** What happens to a line after so many bytes, on the connection on which the next one would go. */
export interface ByteFault {
  readonly direction: 'to_server' | 'to_client';
  /** Counted from now on over all connections together. */
  readonly afterBytes: number;
  /** `cut`: both sides are told by its end. `stall`: nobody is told, and nothing is carried any more. */
  readonly kind: 'cut' | 'stall';
}

/** A fault that was given to a proxy. */
export interface ArmedByteFault {
  readonly hasStruck: boolean;
  disarm(): void;
}

/** Decides what becomes of the bytes of all connections of a proxy; one fault at a time. */
export class ByteFaults {
  #armed: { readonly fault: ByteFault; passed: number; hasStruck: boolean } | undefined;

  arm(fault: ByteFault): ArmedByteFault {
    const armed = { fault, passed: 0, hasStruck: false };
    this.#armed = armed;
    return {
      get hasStruck() {
        return armed.hasStruck;
      },
      disarm: () => {
        if (this.#armed === armed) this.#armed = undefined;
      },
    };
  }

  /** What of a piece still passes; and what strikes then, if anything. */
  passing(direction: ByteFault['direction'], piece: Buffer): { bytes: Buffer; strikes?: ByteFault['kind'] } {
    const armed = this.#armed;
    if (armed === undefined || armed.hasStruck || armed.fault.direction !== direction) return { bytes: piece };
    const left = armed.fault.afterBytes - armed.passed;
    armed.passed += piece.length;
    if (piece.length <= left) return { bytes: piece };
    armed.hasStruck = true;
    return { bytes: piece.subarray(0, left), strikes: armed.fault.kind };
  }
}

export interface Carriage {
  readonly faults: ByteFaults;
  /** The pace that counts now. */
  readonly pace: () => Pace | undefined;
}

/** Carries both ways until one side ends. */
export function carry(client: Socket, server: Socket, carriage: Carriage): void {
  oneWay({ from: client, to: server, direction: 'to_server' }, carriage);
  oneWay({ from: server, to: client, direction: 'to_client' }, carriage);
}

interface Way {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: ByteFault['direction'];
}

function oneWay({ from, to, direction }: Way, { faults, pace }: Carriage): void {
  const writer = new PacedWriter(to, pace);
  let isStalled = false;
  from.on('data', (piece) => {
    if (isStalled) return;
    const { bytes, strikes } = faults.passing(direction, piece);
    if (bytes.length > 0) writer.write(bytes);
    isStalled = strikes === 'stall';
    if (strikes === 'cut') cut(from, to);
    else if (to.writableNeedDrain) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

/** What was written before goes out first; a reset would take it back. */
function cut(from: Socket, to: Socket): void {
  to.end(() => to.destroy());
  from.destroy();
}
