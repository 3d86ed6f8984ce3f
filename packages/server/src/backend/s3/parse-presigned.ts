/**
 * Reads the query of a presigned URL into its parts, refusing whatever can be read in two ways. It checks form
 * only and computes no signature. Invariant: each of the signature's parameters occurs exactly once and is
 * spelled exactly as AWS spells it.
 */
import { compareBytes, type QueryPair, unsignedPayload } from './canonical.ts';
import { amzTimestamp, expirySecondsMax } from './presigner.ts';
import { Refused } from './refusal.ts';

export interface PresignedParameters {
  readonly access_key_id: string;
  /** Without the access key: `20130524/us-east-1/s3/aws4_request`. */
  readonly scope: string;
  /** As it was signed: `20130524T000000Z`. */
  readonly timestamp: string;
  readonly issued_at: Date;
  readonly expiry_seconds: number;
  readonly signed_headers: readonly string[];
  readonly signature: string;
  readonly session_token: string | undefined;
  /** Every decoded parameter but the signature, in the order received. */
  readonly signed_pairs: readonly QueryPair[];
  /** Those of them that are not the signature's own. */
  readonly others: readonly QueryPair[];
}

const required = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
] as const;
type RequiredName = (typeof required)[number];

const ownNames: ReadonlyMap<string, string> = new Map(
  [...required, 'X-Amz-Security-Token', 'X-Amz-Content-Sha256'].map((name) => [name.toLowerCase(), name]),
);
const credentialPattern = /^([^/]+)\/(\d{8}\/[^/]+\/[^/]+\/aws4_request)$/;
const timestampPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const signedHeaderName = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** No real query has more, and every one costs. */
const pairsMax = 100;

/** Reads the query (without `?`) of a presigned URL; throws `Refused`. */
export function parsePresigned(rawQuery: string): PresignedParameters {
  const pairs = decodedPairs(rawQuery);
  const own = ownParameters(pairs);
  const value = (name: RequiredName): string => {
    const found = own.get(name);
    if (found === undefined) throw new Refused('malformed', `The parameter ${name} is missing.`);
    return found;
  };
  assertSupported(pairs, own);
  const credential = credentialPattern.exec(value('X-Amz-Credential'));
  if (credential === null) throw new Refused('malformed', 'X-Amz-Credential is not an access key and a scope.');
  const [, access_key_id = '', scope = ''] = credential;
  const timestamp = value('X-Amz-Date');
  return {
    access_key_id,
    scope,
    timestamp,
    issued_at: parsedTimestamp(timestamp),
    expiry_seconds: parsedExpiry(value('X-Amz-Expires')),
    signed_headers: parsedHeaderNames(value('X-Amz-SignedHeaders')),
    signature: value('X-Amz-Signature'),
    session_token: own.get('X-Amz-Security-Token'),
    signed_pairs: pairs.filter(([name]) => name !== 'X-Amz-Signature'),
    others: pairs.filter(([name]) => !ownNames.has(name.toLowerCase())),
  };
}

function decodedPairs(rawQuery: string): QueryPair[] {
  const parts = rawQuery.split('&').filter((part) => part !== '');
  if (parts.length > pairsMax) throw new Refused('malformed', 'The query has too many parameters.');
  return parts.map((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? [decoded(part), ''] : [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1))];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Refused('malformed', 'The query is not percent-encoded UTF-8.');
  }
}

/** The parameters of the signature by name; refuses a second one and other spellings of the name. */
function ownParameters(pairs: readonly QueryPair[]): Map<string, string> {
  const own = new Map<string, string>();
  for (const [name, value] of pairs) {
    const spelled = ownNames.get(name.toLowerCase());
    if (spelled === undefined) continue;
    if (spelled !== name) throw new Refused('malformed', `The parameter ${spelled} is spelled in another case.`);
    if (own.has(name)) throw new Refused('malformed', `The parameter ${name} is there twice.`);
    own.set(name, value);
  }
  return own;
}

function assertSupported(pairs: readonly QueryPair[], own: ReadonlyMap<string, string>): void {
  const algorithm = own.get('X-Amz-Algorithm');
  if (algorithm === undefined && pairs.some(([name]) => name === 'AWSAccessKeyId')) {
    throw new Refused('unsupported', 'Signature Version 2 is not supported.');
  }
  if (algorithm !== undefined && algorithm !== 'AWS4-HMAC-SHA256') {
    throw new Refused('unsupported', 'The only algorithm is AWS4-HMAC-SHA256.');
  }
  const payload = own.get('X-Amz-Content-Sha256');
  if (payload !== undefined && payload !== unsignedPayload) {
    throw new Refused('unsupported', 'A presigned URL cannot sign its body.');
  }
}

function parsedTimestamp(text: string): Date {
  const time = new Date(text.replace(timestampPattern, '$1-$2-$3T$4:$5:$6Z'));
  // Spelled back, since a date that does not exist (20130231) would roll over to another one.
  if (!timestampPattern.test(text) || Number.isNaN(time.getTime()) || amzTimestamp(time) !== text) {
    throw new Refused('malformed', 'X-Amz-Date is not a time such as 20130524T000000Z.');
  }
  return time;
}

function parsedExpiry(text: string): number {
  const seconds = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > expirySecondsMax) {
    throw new Refused('invalid_expiry', `X-Amz-Expires is not a whole number from 1 to ${expirySecondsMax}.`);
  }
  return seconds;
}

function parsedHeaderNames(text: string): string[] {
  const names = text.split(';');
  const sorted = names.every((name, i) => i === 0 || compareBytes(names[i - 1] ?? '', name) < 0);
  if (!sorted || !names.every((name) => signedHeaderName.test(name))) {
    throw new Refused('malformed', 'X-Amz-SignedHeaders is not a sorted list of lower-case names.');
  }
  if (!names.includes('host')) throw new Refused('malformed', 'X-Amz-SignedHeaders does not name the host.');
  return names;
}
