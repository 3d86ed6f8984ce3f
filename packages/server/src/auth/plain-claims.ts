/**
 * Which claims can be used at all: those that every reader of the same token understands the same way. It looks at the
 * text of a payload whose signature was verified, since parsing hides what is ambiguous in it. It judges no claim's
 * meaning. Invariant: what it lets through, PostgreSQL's jsonb holds exactly as it was signed.
 */
import { RowlockError } from '@rowlock/client/contract';

/** Deeper claims are nobody's; PostgreSQL's parser would give up at some depth too, with an error of its own. */
const depthMax = 32;

/** The tokens of JSON that matter here: texts, a name's colon behind them, numbers, brackets. */
const jsonTokens = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|(-?\d[\d.eE+-]*)|[{}[\]]/g;

const refusal = (why: string): RowlockError =>
  new RowlockError('invalid_token', `The token's claims cannot be used: ${why}`);

/**
 * Checks the JSON text of claims, which must be well-formed.
 *
 * @throws RowlockError `invalid_token` for a name that is there twice (parsers differ in which one counts), for claims
 *   nested deeper than 32 levels, for texts with NUL or half a surrogate pair, which jsonb refuses, and for numbers
 *   that are not exact in JavaScript: two people's ids must not become one
 */
export function assertPlainClaims(json: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, text, colon, number] of json.matchAll(jsonTokens)) {
    if (text !== undefined) {
      assertText(JSON.parse(text) as string, colon === undefined ? undefined : open.at(-1));
    } else if (number !== undefined) {
      assertNumber(Number(number));
    } else if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > depthMax) {
        throw refusal('they are nested too deeply');
      }
    } else {
      open.pop();
    }
  }
}

/** `names` are those that the object has so far; undefined for a text that is a value. */
function assertText(text: string, names: Set<string> | undefined): void {
  if (text.includes('\u0000') || !text.isWellFormed()) {
    throw refusal('a text in them is not valid');
  }
  if (names?.has(text)) {
    throw refusal('one is there twice');
  }
  names?.add(text);
}

function assertNumber(value: number): void {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw refusal('a number in them is too large to be exact; write ids as texts');
  }
}
