/**
 * One connection between a PostgreSQL client and its server, through a proxy that can harm it. It counts statements and
 * answers and does what it is told to one of them; when, is decided elsewhere. Invariant: until a fault strikes, both
 * ends get exactly the bytes that the other sent, apart from the encryption that is refused.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FrozenDirection, SeenConnection, SeenStatement } from './fault-plan.ts';
import { type Pace, PacedWriter } from './paced-writer.ts';
import {
  errorResponse,
  type Frame,
  FrameReader,
  openingOf,
  refusedBind,
  refusedQuery,
  textsOf,
} from './postgres-frames.ts';

export interface ConnectionParts {
  readonly number: number;
  readonly client: Socket;
  readonly server: Socket;
  readonly decide: (statement: SeenStatement) => Fault | undefined;
  /** The next place among the statements of all connections. */
  readonly nextPlace: () => number;
  /** Ends the server's process of this connection. */
  readonly terminate: (processId: number) => Promise<void>;
  /** The pace at which bytes travel now. */
  readonly pace: () => Pace | undefined;
}

/** What is done to the answer of one statement, by its place in the connection. */
interface AnswerFault {
  readonly place: number;
  readonly kind: 'cut_after' | 'truncate' | 'error';
  readonly sqlstate?: string;
}

/** Carries one connection from its first byte to its end. */
export class ProxiedConnection {
  readonly #parts: ConnectionParts;
  readonly #fromClient = new FrameReader({ isOpening: true });
  readonly #fromServer = new FrameReader({ isOpening: false });
  readonly #prepared = new Map<string, string>();
  readonly #texts = new Set<string>();
  readonly #toServer: PacedWriter;
  readonly #toClient: PacedWriter;
  #parameters: Readonly<Record<string, string>> = {};
  #processId = 0;
  #isOpen = false;
  #isReady = false;
  /** Says nothing more to either end and hears nothing. */
  #isSwallowing = false;
  #isPumping = false;
  #group: Frame[] = [];
  #groupText = '';
  #statements = 0;
  #answers = 0;
  #answerFault: AnswerFault | undefined;
  #onAnswer: (() => void) | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { client, server, pace } = parts;
    this.#toServer = new PacedWriter(server, pace);
    this.#toClient = new PacedWriter(client, pace);
    client.on('data', (bytes) => {
      this.#fromClient.push(bytes);
      void this.#pump();
    });
    server.on('data', (bytes) => {
      this.#fromServer.push(bytes);
      this.#answer();
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      // An error is followed by 'close', which says what is to be done.
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!this.#isSwallowing || from === client) to.end();
        this.#onAnswer?.();
      });
    }
  }

  /** What is known of it. */
  get seen(): SeenConnection {
    return {
      number: this.#parts.number,
      user: this.#parameters['user'] ?? '',
      application_name: this.#parameters['application_name'] ?? '',
      texts: this.#texts,
    };
  }

  get isOver(): boolean {
    return this.#parts.client.destroyed || this.#parts.server.destroyed;
  }

  /**
   * Reads no more from one end, or from both: what they send, even that they close, is taken by this machine's network
   * and goes no further. Nobody is told.
   */
  freeze(direction: FrozenDirection): void {
    if (direction !== 'to_client') this.#parts.client.pause();
    if (direction !== 'to_server') this.#parts.server.pause();
  }

  /** Reads again, first what has come meanwhile. */
  thaw(): void {
    this.#parts.client.resume();
    this.#parts.server.resume();
  }

  /** Ends both ends: with a reset, or as if the process at the other end had ended. */
  end(how: 'reset' | 'finish'): void {
    this.#isSwallowing = true;
    this.#parts.server.destroy();
    if (how === 'reset') this.#parts.client.resetAndDestroy();
    else this.#parts.client.destroy();
  }

  /** One message after the other, waiting where a fault takes time. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let frame = this.#fromClient.next(); frame !== undefined; frame = this.#fromClient.next()) {
      if (this.#isSwallowing) continue;
      if (this.#isOpen) await this.#sent(frame);
      else this.#opening(frame);
    }
    this.#isPumping = false;
  }

  #opening(frame: Frame): void {
    const opening = openingOf(frame);
    if (opening.kind === 'encryption') {
      this.#parts.client.write('N');
      this.#fromClient.openAgain();
      return;
    }
    if (opening.kind === 'startup') this.#parameters = opening.parameters;
    this.#isOpen = true;
    this.#toServer.write(frame.bytes);
  }

  async #sent(frame: Frame): Promise<void> {
    const isHandshake = !this.#isReady || frame.type === 'X' || frame.type === 'p';
    if (isHandshake) {
      this.#toServer.write(frame.bytes);
      return;
    }
    this.#group.push(frame);
    this.#learn(frame);
    if (frame.type !== 'Q' && frame.type !== 'S') return;
    const group = this.#group;
    const text = this.#groupText;
    this.#group = [];
    this.#groupText = '';
    await this.#strike(group, text);
  }

  #learn(frame: Frame): void {
    if (frame.type === 'Q') [this.#groupText] = textsOf(frame);
    if (frame.type === 'P') {
      const [name, text] = textsOf(frame);
      this.#prepared.set(name, text);
    }
    if (frame.type === 'B') this.#groupText = this.#prepared.get(textsOf(frame)[1]) ?? '';
  }

  async #strike(group: readonly Frame[], text: string): Promise<void> {
    this.#statements += 1;
    this.#texts.add(text);
    const fault = this.#parts.decide({
      text,
      place: this.#parts.nextPlace(),
      place_in_connection: this.#statements,
      connection: this.#parts.number,
      user: this.#parameters['user'] ?? '',
      application_name: this.#parameters['application_name'] ?? '',
    });
    switch (fault?.kind) {
      case 'cut_before':
        await this.#earlierAnswered();
        return this.end('finish');
      case 'reset':
        await this.#earlierAnswered();
        return this.end('reset');
      case 'black_hole':
        this.#isSwallowing = true;
        return;
      case 'terminate':
        await this.#terminated();
        break;
      case 'delay':
        await delay(fault.ms);
        break;
      case 'cut_after':
      case 'truncate':
        this.#answerFault = { place: this.#statements, kind: fault.kind };
        this.#forward(group);
        await once(this.#parts.server, 'close');
        return;
      case 'error':
        this.#answerFault = { place: this.#statements, kind: 'error', sqlstate: fault.sqlstate };
        this.#forward(group.map(refused));
        return;
      default:
        break;
    }
    this.#forward(group);
  }

  #forward(group: readonly Frame[]): void {
    for (const { bytes } of group) this.#toServer.write(bytes);
  }

  /** Waits until the client has been told the answers of all statements before this one. */
  async #earlierAnswered(): Promise<void> {
    while (this.#answers < this.#statements - 1 && !this.#parts.server.destroyed) {
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
    }
  }

  async #terminated(): Promise<void> {
    await this.#earlierAnswered();
    if (this.#parts.server.destroyed) return;
    const closed = once(this.#parts.server, 'close');
    await this.#parts.terminate(this.#processId);
    await closed;
  }

  #answer(): void {
    for (let frame = this.#fromServer.next(); frame !== undefined; frame = this.#fromServer.next()) {
      if (this.#isSwallowing) continue;
      if (frame.type === 'K') this.#processId = frame.bytes.readInt32BE(5);
      const fault = this.#answerFault?.place === this.#answers + 1 ? this.#answerFault : undefined;
      if (this.#isReady && fault !== undefined) this.#harm(frame, fault);
      else this.#toClient.write(frame.bytes);
      if (frame.type !== 'Z') continue;
      if (this.#isReady) this.#answers += 1;
      this.#isReady = true;
      this.#onAnswer?.();
    }
  }

  #harm(frame: Frame, fault: AnswerFault): void {
    if (fault.kind === 'error') {
      const text = 'a fault of the test';
      this.#toClient.write(frame.type === 'E' ? errorResponse(fault.sqlstate ?? 'XX000', text) : frame.bytes);
      return;
    }
    if (fault.kind === 'truncate') {
      // Once its bytes are on their way, so that half of a message really arrives.
      this.#isSwallowing = true;
      this.#parts.client.write(frame.bytes.subarray(0, Math.ceil(frame.bytes.length / 2)), () => this.end('finish'));
      return;
    }
    if (frame.type === 'Z') this.end('finish');
  }
}

/** The message that makes the server refuse this statement. */
function refused(frame: Frame): Frame {
  if (frame.type === 'Q') return { type: 'Q', bytes: refusedQuery() };
  if (frame.type === 'B') return { type: 'B', bytes: refusedBind() };
  return frame;
}
