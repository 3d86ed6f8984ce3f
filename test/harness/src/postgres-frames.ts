/**
 * Takes PostgreSQL's wire protocol (version 3) apart into messages and makes the few that a proxy has to say itself. It
 * knows no connection and decides nothing. Invariant: the bytes of all frames, one after the other, are the bytes that
 * were pushed.
 */

/** One message: its type (empty for what a client says first) and all of its bytes. */
export interface Frame {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What a client's first message asks for. */
export type Opening =
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'startup'; readonly parameters: Readonly<Record<string, string>> };

const encryptionCodes: ReadonlySet<number> = new Set([80_877_103, 80_877_104]);
const cancelCode = 80_877_102;

/** Gathers bytes and gives them back message by message. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #isOpening: boolean;

  /** `isOpening`: what comes first has no type byte, as from a client. */
  constructor({ isOpening }: { readonly isOpening: boolean }) {
    this.#isOpening = isOpening;
  }

  /** Says that what comes next has no type byte either: the encryption that was asked for was refused. */
  openAgain(): void {
    this.#isOpening = true;
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** The next whole message, or undefined until more bytes are there. */
  next(): Frame | undefined {
    const typeBytes = this.#isOpening ? 0 : 1;
    if (this.#rest.length < typeBytes + 4) return undefined;
    const length = typeBytes + this.#rest.readInt32BE(typeBytes);
    if (this.#rest.length < length) return undefined;
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    const type = this.#isOpening ? '' : bytes.toString('latin1', 0, 1);
    this.#isOpening = false;
    return { type, bytes };
  }
}

/** Reads a client's first message. */
export function openingOf({ bytes }: Frame): Opening {
  const code = bytes.readInt32BE(4);
  if (encryptionCodes.has(code)) return { kind: 'encryption' };
  if (code === cancelCode) return { kind: 'cancel' };
  const texts = bytes.toString('utf8', 8).split('\0');
  const parameters: Record<string, string> = {};
  for (let i = 0; i + 1 < texts.length && texts[i] !== ''; i += 2) parameters[texts[i] ?? ''] = texts[i + 1] ?? '';
  return { kind: 'startup', parameters };
}

/** The two texts with which Parse (name, SQL) and Bind (portal, name) begin; Query has one. */
export function textsOf({ bytes }: Frame): readonly [string, string] {
  const [first = '', second = ''] = bytes.toString('utf8', 5).split('\0', 2);
  return [first, second];
}

/** A Bind for a statement that was never prepared: the server refuses it, and what follows up to Sync. */
export function refusedBind(): Buffer {
  return message('B', Buffer.from('\0rowlock_fault_no_such_statement\0\0\0\0\0\0\0', 'latin1'));
}

/** A Query that the server refuses. */
export function refusedQuery(): Buffer {
  return message('Q', Buffer.from('SELECT rowlock_fault_no_such_column\0', 'latin1'));
}

/** An ErrorResponse. */
export function errorResponse(sqlstate: string, text: string): Buffer {
  const fields = ['SERROR', 'VERROR', `C${sqlstate}`, `M${text}`];
  return message('E', Buffer.from(`${fields.join('\0')}\0\0`, 'utf8'));
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
