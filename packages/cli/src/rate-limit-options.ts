/**
 * The options of rate limits, made from one table: by whom, for which kind of request. All are off unless set, since what
 * a service sees as one address may be a proxy with everybody behind it.
 */
import type { ServerConfig } from '@rowlock/server';
import type { Option, Settings } from './options.ts';

const scopes = { address: 'of one address (IPv6: one /64)', subject: 'of one subject of tokens' } as const;
const kinds = ['reads', 'writes', 'signs'] as const;

const optionOf = (what: string, whose: string): Option => ({
  name: `rate-limit-${what}`,
  env: [`RATE_LIMIT_${what.replaceAll('-', '_').toUpperCase()}`],
  type: 'integer',
  default: '0',
  min: 0,
  max: 10_000_000,
  help: `${whose} a minute, by each process; 0 for no limit`,
});

export const rateLimitOptions: readonly Option[] = [
  ...Object.entries(scopes).flatMap(([scope, whose]) =>
    kinds.map((kind) => optionOf(`${scope}-${kind}`, `${kind} ${whose}`)),
  ),
  optionOf('signed-url', 'downloads by one signed URL'),
];

/** What the server is configured with. */
export function rateLimits(settings: Settings): NonNullable<ServerConfig['rate_limits']> {
  const rates = (scope: keyof typeof scopes): Record<(typeof kinds)[number], number> => ({
    reads: settings.integer(`rate-limit-${scope}-reads`),
    writes: settings.integer(`rate-limit-${scope}-writes`),
    signs: settings.integer(`rate-limit-${scope}-signs`),
  });
  return {
    address: rates('address'),
    subject: rates('subject'),
    signed_url: settings.integer('rate-limit-signed-url'),
  };
}
