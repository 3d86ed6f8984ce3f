/**
 * Ids of the gateway's sessions: what a browser holds, and the hash of it, which is all that is kept. It knows no cookie and
 * no caller. Invariant: from what is kept nobody can make what is held.
 */
import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: found by nobody who tries, so that the hash needs no salt and no work factor. */
const idBytes = 32;
const idForm: RegExp = /^[A-Za-z0-9_-]{43}$/;

/** A new id: 43 characters of base64url, of which nothing can be read. */
export function newSessionId(): string {
  return randomBytes(idBytes).toString('base64url');
}

/** Whether a text could be an id: what is none costs no look into the database. */
export function isSessionId(text: string): boolean {
  return idForm.test(text);
}

/** SHA-256 of an id. */
export function hashOfSessionId(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}
