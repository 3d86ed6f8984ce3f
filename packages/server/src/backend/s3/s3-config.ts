/**
 * Where an S3 store is and how it is spoken to, as an operator says it, and what follows from that. It opens nothing.
 * Invariant: what it returns has every default filled in, and a configuration that cannot work is refused here.
 */
import type { PutGuards } from '../backend.ts';
import { isKey } from '../keys.ts';
import type { SigningCredentials } from './presigner.ts';
import { type S3Flavour, type S3Quirks, s3Flavours, s3Quirks } from './s3-quirks.ts';

/** What `upload_guard` may be; see `PutGuard`. */
export const uploadGuards = ['auto', 'condition', 'incoming', 'recheck'] as const;

export type UploadGuard = (typeof uploadGuards)[number];

export interface S3BackendConfig {
  /** As in `versions.backend`. Default: `s3`. */
  readonly name?: string | undefined;
  readonly bucket: string;
  /** Of the bucket; `auto` for R2, and `us-east-1` for most stores of one's own. */
  readonly region: string;
  /** Where this server reaches the store: `https://s3.example.com`. Default: AWS's of the region. */
  readonly endpoint?: string;
  /** Where clients reach it; presigned URLs are signed for it. Default: `endpoint`. */
  readonly public_endpoint?: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: unless the store is AWS's own. */
  readonly force_path_style?: boolean;
  /** Default: the AWS SDK's chain, from the environment over web identity to the machine's role. */
  readonly credentials?: SigningCredentials;
  /** Which quirks it has. Default: `aws` without an endpoint, else `generic`. */
  readonly flavour?: S3Flavour;
  /**
   * What keeps a presigned PUT that is used once more from changing what was committed. Default `auto`: `condition` where the
   * store and the client honour it, else `incoming`. With `condition` the store is taken to honour it whatever its flavour.
   * `recheck` keeps the key of the URL, which some deployed clients need, and finds a change only afterwards.
   */
  readonly upload_guard?: UploadGuard;
  /** Stands before every key, with its slash: `rowlock/`. Default: none. */
  readonly key_prefix?: string;
  /** Longest time without a byte on a connection, in milliseconds. Default: 30,000. */
  readonly idle_ms?: number;
  /** Keys that are listed at once, at most 1,000, which is the default. */
  readonly page_keys?: number;
  /**
   * Parts of large uploads on their way at once, beside one for each upload; of one upload at most four. Each is 8 MiB of
   * memory as a rule. Default: 16.
   */
  readonly parts_at_once?: number;
}

export interface S3Settings {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  /** Undefined: the SDK's own of the region. */
  readonly endpoint: string | undefined;
  readonly public_endpoint: string;
  readonly force_path_style: boolean;
  readonly credentials: SigningCredentials | undefined;
  readonly quirks: S3Quirks;
  readonly put_guards: PutGuards;
  readonly key_prefix: string;
  readonly idle_ms: number;
  readonly page_keys: number;
  readonly parts_at_once: number;
}

const idleMsDefault = 30_000;
const pageKeysMax = 1000;
const partsAtOnceDefault = 16;
const bucketPattern = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
const regionPattern = /^[a-z0-9-]{1,63}$/;

/**
 * Fills in what was left out.
 *
 * @throws RangeError that names the option which cannot be
 */
export function s3Settings(config: S3BackendConfig): S3Settings {
  const { bucket, region, endpoint, key_prefix = '', idle_ms = idleMsDefault, page_keys = pageKeysMax } = config;
  const { parts_at_once = partsAtOnceDefault } = config;
  const { upload_guard = 'auto' } = config;
  const flavour = config.flavour ?? (endpoint === undefined ? 'aws' : 'generic');
  demand(bucketPattern.test(bucket), 'bucket', 'is not the name of a bucket');
  demand(regionPattern.test(region), 'region', 'is not the name of a region');
  demand(s3Flavours.includes(flavour), 'flavour', `is none of ${s3Flavours.join(', ')}`);
  demand(uploadGuards.includes(upload_guard), 'upload_guard', `is none of ${uploadGuards.join(', ')}`);
  demand(endpoint !== undefined || flavour === 'aws', 'endpoint', 'is missing, and only AWS has one of its own');
  demand(key_prefix === '' || isPrefix(key_prefix), 'key_prefix', 'is not folders of a key with a slash at the end');
  demand(Number.isInteger(idle_ms) && idle_ms >= 100, 'idle_ms', 'is not a number of milliseconds of 100 or more');
  demand(Number.isInteger(page_keys) && page_keys >= 1 && page_keys <= pageKeysMax, 'page_keys', 'is not 1 to 1,000');
  demand(Number.isInteger(parts_at_once) && parts_at_once >= 0, 'parts_at_once', 'is not a number of parts');
  for (const name of ['endpoint', 'public_endpoint'] as const) demandEndpoint(name, config[name]);
  return {
    name: config.name ?? 's3',
    bucket,
    region,
    endpoint,
    public_endpoint: config.public_endpoint ?? endpoint ?? awsEndpoint(region),
    // A dot in the bucket's name would be one label too many for AWS's certificate.
    force_path_style: config.force_path_style ?? (flavour !== 'aws' || bucket.includes('.')),
    credentials: config.credentials,
    quirks: s3Quirks[flavour],
    put_guards: guardsOf(upload_guard, s3Quirks[flavour]),
    key_prefix,
    idle_ms,
    page_keys,
    parts_at_once,
  };
}

function guardsOf(wanted: UploadGuard, { conditional_put }: S3Quirks): PutGuards {
  if (wanted === 'recheck') return { with_headers: 'recheck', without_headers: 'recheck' };
  const isConditional = wanted === 'condition' || (wanted === 'auto' && conditional_put);
  return { with_headers: isConditional ? 'condition' : 'incoming', without_headers: 'incoming' };
}

function isPrefix(text: string): boolean {
  return text.endsWith('/') && isKey(text.slice(0, -1));
}

function awsEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function demandEndpoint(name: string, endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  demand(isHttp, name, 'is not an http or https URL');
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  demand(isPlain, name, 'has more than scheme, host, port and path');
}

function demand(isSo: boolean, name: string, says: string): void {
  if (!isSo) throw new RangeError(`S3 backend: ${name} ${says}`);
}
