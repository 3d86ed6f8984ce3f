/**
 * Conditions of requests that write: `If-Match` and `If-None-Match` as lists of strong validators. It only reads them;
 * the transaction that writes judges them, under the lock of the row.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyRequest } from 'fastify';

const headerBytesMax = 8192;
const tagsMax = 100;
const tag: RegExp = /^(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"|\*)$/;

export interface WriteConditions {
  readonly ifMatch: readonly string[] | undefined;
  readonly ifNoneMatch: readonly string[] | undefined;
}

/** @throws RowlockError `invalid_request` for what is no list of validators */
export function writeConditions({ headers }: FastifyRequest): WriteConditions {
  return {
    ifMatch: tagsOf(headers['if-match'], 'If-Match', true),
    ifNoneMatch: tagsOf(headers['if-none-match'], 'If-None-Match', false),
  };
}

/** Validators without their quotes. A weak one matches nothing where the comparison is strong (RFC 9110, section 8.8.3.2). */
function tagsOf(header: string | undefined, name: string, strong: boolean): readonly string[] | undefined {
  if (header === undefined) return undefined;
  const texts = header.length > headerBytesMax ? [] : header.split(',').map((text) => text.trim());
  if (texts.length === 0 || texts.length > tagsMax || (texts.length > 1 && texts.includes('*'))) {
    throw new RowlockError('invalid_request', `${name} is "*" or a list of at most ${tagsMax} quoted ETags`);
  }
  return texts.flatMap((text) => {
    const [whole, weak, value] = tag.exec(text) ?? [];
    if (whole === undefined) {
      throw new RowlockError('invalid_request', `${name} is "*" or a list of quoted ETags`);
    }
    if (value === undefined) return ['*'];
    return weak !== undefined && strong ? [] : [value];
  });
}
