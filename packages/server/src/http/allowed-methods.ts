/**
 * Which methods a path takes, for answers to the ones it does not. It is told of every route as it is registered and
 * routes nothing itself.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

interface Taken {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/** `/a/:b/*` as an expression: a parameter is a segment, a star is the rest. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[$()+.?[\\\]^{|}]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}

export class AllowedMethods {
  readonly #taken: Taken[] = [];
  readonly #known: Set<string> = new Set();

  add({ url, method }: RouteOptions): void {
    const methods = [method].flat();
    // Preflights are taken everywhere, which makes no path one that exists.
    if (url !== '*') this.#taken.push({ pattern: patternOf(url), methods });
    for (const each of methods) this.#known.add(each);
  }

  /** The error for a request that no route took; sets `Allow` where the path takes other methods. */
  refusal({ method, url }: FastifyRequest, reply: FastifyReply): RowlockError {
    const path = url.split('?', 1)[0] ?? '';
    const found = this.#taken.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
    const allowed = [...new Set(found)].sort();
    if (allowed.length > 0 && !allowed.includes(method)) {
      reply.header('allow', allowed.join(', '));
      return new RowlockError('method_not_allowed', `This path does not take ${method}`);
    }
    return this.#known.has(method)
      ? new RowlockError('route_not_found', `There is no ${method} ${path.slice(0, 200)}`)
      : new RowlockError('not_implemented', `No path takes ${method}`);
  }
}
