/**
 * Makes hostile requests out of the service's description of itself and much that is not in it: any method on any route,
 * paths bent out of shape, keys of other routes, headers that proxies and frameworks believe, odd bodies. It sends
 * nothing. Invariant: what it makes depends on the seed and the site only, and holds no marker.
 */
import type { SeededRandom } from '@rowlock/test-harness';
import { bentPath, bentToken } from './fuzz-bending.ts';
import type { Bearer, FuzzSite, Group } from './fuzz-site.ts';
import {
  buckets,
  headerValues,
  isNeeded,
  methods,
  names,
  oddBodies,
  ordinaryHeaders,
  otherPaths,
  places,
  readers,
  strangeMethods,
  types,
  values,
} from './fuzz-words.ts';

/** One route of the description: its path with `{…}`, the keys of its query, the fields of its body. */
export interface KnownRoute {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly fields: readonly string[];
}

export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly bearer: Bearer;
  /** What a valid signed URL in it shows. */
  readonly grants: Group | undefined;
  /** As it goes over the wire. */
  readonly bytes: Buffer;
}

/** A stream of requests. */
export class FuzzRequests {
  readonly #site: FuzzSite;
  readonly #routes: readonly KnownRoute[];
  readonly #random: SeededRandom;
  readonly #keys: readonly string[];
  readonly #fields: readonly string[];

  constructor(site: FuzzSite, routes: readonly KnownRoute[], random: SeededRandom) {
    this.#site = site;
    this.#routes = routes;
    this.#random = random;
    const known = [
      ...routes.flatMap(({ query }) => query),
      'select',
      'role',
      'method',
      '_method',
      'X-Amz-Signature',
      'uploadId',
      'cacheNonce',
    ];
    this.#keys = [...new Set([...known, ...site.functions.flatMap(({ args }) => args)])];
    this.#fields = [...new Set(routes.flatMap(({ fields }) => fields))];
  }

  /**
   * The next one. Half of them are nearly what an ordinary client sends, so that they come far. Whoever sees everything
   * only reads, so that nothing private is given away in earnest.
   */
  next(): FuzzRequest {
    const random = this.#random;
    const bearer = random.pick(random.pick(this.#site.bearers));
    const route = random.pick(this.#routes);
    const isCalm = random.integer(2) === 0;
    const method = this.#method(route, { bearer, isCalm });
    const isSigned = route.query.includes('token') || random.integer(8) === 0;
    const url = isSigned ? this.#urlToken() : undefined;
    const filled = this.#filled(!isCalm && random.integer(5) === 0 ? random.pick(otherPaths) : route.path, isCalm);
    const path = isCalm ? filled : bentPath(filled, random);
    const query = [...this.#query(route, isCalm), ...(url === undefined ? [] : [['token', url.token] as const])];
    const target = withQuery(path, query);
    const hasBody = isCalm ? !readers.has(method) : random.integer(2) === 0;
    const body = hasBody ? this.#body(route, isCalm) : undefined;
    const bytes = wire({ method, target, headers: this.#headers({ bearer, body, isCalm }), body });
    return { method, target, bearer, grants: url?.grants, bytes };
  }

  #method(route: KnownRoute, { bearer, isCalm }: { readonly bearer: Bearer; readonly isCalm: boolean }): string {
    const random = this.#random;
    if (isCalm && (!bearer.seesAll || readers.has(route.method))) return route.method;
    if (bearer.seesAll) return readers.has(route.method) ? route.method : random.pick(['GET', 'HEAD']);
    const choice = random.integer(10);
    if (choice < 6) return route.method;
    return choice < 9 ? random.pick(methods) : random.pick(strangeMethods);
  }

  #urlToken(): { readonly token: string; readonly grants?: Group | undefined } {
    const random = this.#random;
    const { token, grants } = random.pick(this.#site.urlTokens);
    if (random.integer(3) === 0) return { token, grants };
    return { token: bentToken(token, random.pick(this.#site.urlTokens).token, random) };
  }

  #filled(path: string, isCalm: boolean): string {
    const random = this.#random;
    const { keys, ids } = this.#site.hearsay;
    const isPlace = isCalm || random.integer(3) === 0;
    const [bucket, name] = isPlace ? this.#place(path) : [random.pick(buckets), random.pick(names)];
    return path
      .replace('{bucket}', () => bucket)
      .replace('{id}', () => (path.includes('versionId') ? random.pick(ids) : bucket))
      .replace('{*}', () => name)
      .replace('{key}', () => random.pick(keys))
      .replace('{name}', () => random.pick(this.#site.functions).name);
  }

  /** What is there and might be found by this path. */
  #place(path: string): readonly [string, string] {
    return path.includes('render') ? ['files', 'hidden.png'] : this.#random.pick(places);
  }

  #value(): string {
    const random = this.#random;
    const choice = random.integer(12);
    if (choice === 0) return random.pick(this.#site.hearsay.ids);
    if (choice === 1) return random.pick(this.#site.hearsay.keys);
    return choice === 2 ? random.pick(names) : random.pick(values);
  }

  #query({ query }: KnownRoute, isCalm: boolean): readonly (readonly [string, string])[] {
    const random = this.#random;
    const isWanted = (key: string): boolean => key === 'preset' || random.integer(3) === 0;
    const own = query.filter((key) => key !== 'token' && isWanted(key));
    if (isCalm) return own.map((key) => [key, String(this.#plausible(key))]);
    const others = Array.from({ length: random.integer(3) }, () => random.pick(this.#keys));
    const keys = [...own, ...others.map((key) => (random.integer(6) === 0 ? `${key}[]` : key))];
    return keys.filter((key) => key !== 'token').map((key) => [key, String(this.#field(key))]);
  }

  #body(route: KnownRoute, isCalm: boolean): Buffer {
    const random = this.#random;
    if (!isCalm && random.integer(4) === 0) {
      return random.pick([random.bytes(random.integer(300)), ...oddBodies.map((text) => Buffer.from(text))]);
    }
    const args = route.path.startsWith('/rpc') ? random.pick(this.#site.functions).args : [];
    const all = [...route.fields, ...args, ...(isCalm ? [] : [random.pick(this.#fields), random.pick(this.#keys)])];
    const wanted = all.filter((field) => isNeeded.test(field) || random.integer(3) === 0);
    return Buffer.from(
      JSON.stringify(
        Object.fromEntries(wanted.map((field) => [field, isCalm ? this.#plausible(field) : this.#field(field)])),
      ),
    );
  }

  /** Something that the field may have, or not at all. */
  #field(field: string): unknown {
    const random = this.#random;
    if (random.integer(3) > 0) return this.#plausible(field);
    return random.pick([null, true, 7, -1, 1e300, [], {}, [this.#value()], this.#value()]);
  }

  /** Something that a field or a key of this name may have. */
  #plausible(field: string): unknown {
    const random = this.#random;
    if (/bucket/i.test(field)) return random.integer(4) > 0 ? random.pick(places)[0] : random.pick(buckets);
    if (/^(names|paths|prefixes)$/.test(field))
      return Array.from({ length: 1 + random.integer(3) }, () => random.pick(names));
    if (/preset/.test(field)) return random.pick(['small', 'medium', 'large']);
    if (/prefix|search/i.test(field)) return random.pick(['', '', 'h', 'hidden', 'hidden.txt', '%', 'x/']);
    if (/key|name/i.test(field)) return random.pick(names);
    if (/wait/.test(field)) return 0;
    if (/limit|offset|seconds|uses|expires|size|bytes|quota/i.test(field)) return random.integer(1000);
    if (/stats|recursive|delimiter|force|register|download|public/i.test(field)) return random.integer(2) === 0;
    if (/since|cursor|after/.test(field)) return random.pick(['', '0', 'eyJhIjoxfQ']);
    return /id|version|object/i.test(field) ? random.pick(this.#site.hearsay.ids) : this.#value();
  }

  #headers(about: {
    readonly bearer: Bearer;
    readonly body: Buffer | undefined;
    readonly isCalm: boolean;
  }): readonly (readonly [string, string])[] {
    const random = this.#random;
    const { bearer, body, isCalm } = about;
    const host = isCalm || random.integer(6) > 0 ? 'x' : random.pick(['evil.example', '127.0.0.1:1', '', 'localhost']);
    const scheme = isCalm || random.integer(8) > 0 ? 'Bearer' : random.pick(['bearer', 'BEARER', 'Basic', 'Token']);
    const known = isCalm ? ordinaryHeaders : Object.keys(headerValues);
    const more = Array.from({ length: random.integer(isCalm ? 2 : 4) }, () => random.pick(known));
    const type = isCalm ? 'application/json' : random.pick(types);
    return [
      ['host', host],
      ['connection', 'close'],
      ...(bearer.token === undefined ? [] : ([['authorization', `${scheme} ${bearer.token}`]] as const)),
      ...(body === undefined
        ? []
        : ([
            ['content-length', String(body.length)],
            ['content-type', type],
          ] as const)),
      ...[...new Set(more)].map((name) => [name, random.pick(headerValues[name] ?? [''])] as const),
    ];
  }
}

function withQuery(path: string, query: readonly (readonly [string, string])[]): string {
  if (query.length === 0) return path;
  const text = query.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&');
  return `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

function wire(request: {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
}): Buffer {
  const fields = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = Buffer.from(`${request.method} ${request.target} HTTP/1.1\r\n${fields}\r\n`);
  return request.body === undefined ? head : Buffer.concat([head, request.body]);
}
