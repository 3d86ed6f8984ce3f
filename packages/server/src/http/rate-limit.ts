/**
 * Rate limits per address, per subject of a token, and per signed URL, each for reads, writes and signs by itself. They
 * are kept by this process alone and asked before the database is. What is not configured is not limited and costs
 * nothing. Headers are those of draft-ietf-httpapi-ratelimit-headers-10.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { addressNetwork } from '../domain/address-network.ts';
import type { Caller } from '../domain/caller.ts';
import { type RequestKind, requestKind, requestKinds } from '../domain/request-kind.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Requests per minute, which may all come at once; no limit where it is zero or not given. */
export type Rates = Readonly<Partial<Record<RequestKind, number>>>;

export interface RateLimitConfig {
  /** By the client's address; of IPv6 its /64. */
  readonly address?: Rates;
  /** By whom the token is about. */
  readonly subject?: Rates;
  /** Downloads of one signed URL, per minute. */
  readonly signed_url?: number;
}

/** Keys of one limit that are remembered; each takes about 150 bytes. */
const keysMax = 50_000;

type Scope = 'address' | 'subject' | 'signed-url';

/** All limits of one process. */
export class RateLimits {
  readonly #buckets: ReadonlyMap<string, TokenBuckets>;

  constructor(config: RateLimitConfig, now: () => number = () => performance.now()) {
    const rates: [string, number | undefined][] = [
      ...requestKinds.map((kind): [string, number | undefined] => [`address-${kind}`, config.address?.[kind]]),
      ...requestKinds.map((kind): [string, number | undefined] => [`subject-${kind}`, config.subject?.[kind]]),
      ['signed-url-reads', config.signed_url],
    ];
    this.#buckets = new Map(
      rates.flatMap(([name, rate]) => (rate ? [[name, new TokenBuckets(rate, keysMax, now)]] : [])),
    );
  }

  /** Counts a request for its address, before anything is known of its caller. @throws RowlockError `rate_limited` */
  countAddress(request: FastifyRequest, reply: FastifyReply, address: string): void {
    if (this.#buckets.size > 0) this.#count('address', request, reply, addressNetwork(address));
  }

  /** Counts a request for a verified caller; one without a subject counts for its role. @throws RowlockError `rate_limited` */
  countSubject(request: FastifyRequest, reply: FastifyReply, { anonymous, role, subject }: Caller): void {
    if (this.#buckets.size > 0 && !anonymous) this.#count('subject', request, reply, `${role}/${subject ?? ''}`);
  }

  /** Counts a download with a session's cookie, by its beginning: whose it is, only the database knows. @throws RowlockError `rate_limited` */
  countSession(request: FastifyRequest, reply: FastifyReply, id: string): void {
    if (this.#buckets.size > 0) this.#count('subject', request, reply, `session/${id.slice(0, 16)}`);
  }

  /** Counts a download by a signed URL that was verified, by the URL's id. @throws RowlockError `rate_limited` */
  countSignedUrl(request: FastifyRequest, reply: FastifyReply, urlId: string): void {
    if (this.#buckets.size > 0) this.#count('signed-url', request, reply, urlId);
  }

  #count(scope: Scope, request: FastifyRequest, reply: FastifyReply, key: string): void {
    const kind = requestKind(request.method, request.routeOptions.url);
    const name = `${scope}-${kind}`;
    const state = kind === undefined ? undefined : this.#buckets.get(name)?.take(key);
    if (state === undefined) return;
    appendHeader(reply, 'ratelimit-policy', `"${name}";q=${state.limit};w=60`);
    appendHeader(reply, 'ratelimit', `"${name}";r=${state.remaining};t=${state.seconds}`);
    if (!state.allowed) {
      throw new RowlockError('rate_limited', `More than ${state.limit} ${kind} a minute; try again later`, {
        retryAfterSeconds: state.seconds,
      });
    }
  }
}

/** A list in one header: some clients see the first of several only. */
function appendHeader(reply: FastifyReply, name: string, item: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? item : `${before.toString()}, ${item}`);
}
