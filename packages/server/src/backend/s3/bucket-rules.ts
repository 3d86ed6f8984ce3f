/**
 * Puts our CORS and lifecycle rules among those that a bucket has. S3 replaces all rules at once, so they are read first.
 * Invariant: a rule of somebody else is sent back as it came, and a bucket whose rule is right is not written.
 */
import type { CORSRule, LifecycleRule as S3LifecycleRule } from '@aws-sdk/client-s3';
import {
  type CorsRule,
  corsRule,
  corsRuleId,
  type LifecycleRule,
  lifecycleRule,
  lifecycleRuleId,
} from './bucket-documents.ts';
import { connectS3, type S3Store } from './s3-client.ts';
import { type S3BackendConfig, s3Settings } from './s3-config.ts';

export interface AppliedRules {
  /** All rules, as they are now, or would be. */
  readonly rules: readonly object[];
  /** How many of them are others' and were left as they are. */
  readonly kept: number;
  /** Whether the bucket was, or would be, written. */
  readonly changed: boolean;
}

export interface ApplyOptions {
  /** Reads, and writes nothing. */
  readonly dryRun?: boolean;
}

/** Lets pages of these origins transfer directly. @throws RangeError for a wrong config; the store's own errors in words */
export async function applyCors(
  config: S3BackendConfig,
  origins: readonly string[],
  { dryRun = false }: ApplyOptions = {},
): Promise<AppliedRules> {
  return await withStore(config, async (store) => {
    const Bucket = store.settings.bucket;
    const found = await rulesOrNone(
      async () => (await store.client.getBucketCors({ Bucket })).CORSRules,
      'NoSuchCORSConfiguration',
    );
    const merged = merge<CORSRule, CorsRule>(found, corsRule(origins), corsRuleId);
    if (merged.changed && !dryRun) {
      await store.client.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: merged.rules } });
    }
    return merged;
  });
}

/** Ends unfinished uploads after a day. @throws as `applyCors` */
export async function applyLifecycle(
  config: S3BackendConfig,
  { dryRun = false }: ApplyOptions = {},
): Promise<AppliedRules> {
  return await withStore(config, async (store) => {
    const { bucket: Bucket, key_prefix } = store.settings;
    const found = await rulesOrNone(
      async () => (await store.client.getBucketLifecycleConfiguration({ Bucket })).Rules,
      'NoSuchLifecycleConfiguration',
    );
    const merged = merge<S3LifecycleRule, LifecycleRule>(found, lifecycleRule({ key_prefix }), lifecycleRuleId);
    if (merged.changed && !dryRun) {
      await store.client.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: merged.rules } });
    }
    return merged;
  });
}

async function withStore<T>(config: S3BackendConfig, work: (store: S3Store) => Promise<T>): Promise<T> {
  const store = await connectS3(s3Settings(config));
  try {
    return await work(store);
  } catch (error) {
    throw inWords(error, store.settings.bucket);
  } finally {
    store.close();
  }
}

async function rulesOrNone<Rule>(read: () => Promise<Rule[] | undefined>, none: string): Promise<readonly Rule[]> {
  try {
    return (await read()) ?? [];
  } catch (error) {
    if (error instanceof Error && error.name === none) return [];
    throw error;
  }
}

function merge<Rule extends { readonly ID?: string | undefined }, Ours extends Rule>(
  found: readonly Rule[],
  ours: Ours,
  id: string,
): { readonly rules: Rule[]; readonly kept: number; readonly changed: boolean } {
  const others = found.filter((rule) => rule.ID !== id);
  const own = found.filter((rule) => rule.ID === id);
  const isRight = own.length === 1 && own[0] !== undefined && sameRule(own[0], ours);
  return { rules: isRight ? [...found] : [...others, ours], kept: others.length, changed: !isRight };
}

/** Whether a store has what was sent: it may add what it fills in, and order lists as it likes. */
function sameRule(found: object, ours: object): boolean {
  return Object.entries(ours).every(([name, value]) => {
    const there = (found as Readonly<Record<string, unknown>>)[name];
    if (Array.isArray(value)) return Array.isArray(there) && sorted(there) === sorted(value);
    if (typeof value === 'object' && value !== null) return sameRule(isObject(there) ? there : {}, value);
    return there === value || (value === '' && there === undefined);
  });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const sorted = (list: readonly unknown[]): string => JSON.stringify([...list].map(String).sort());

/** The errors that an operator can do something about. */
function inWords(error: unknown, bucket: string): unknown {
  if (!(error instanceof Error)) return error;
  const says: Readonly<Record<string, string>> = {
    AccessDenied: `the credential may not change the rules of ${bucket}: see rowlock s3 print-policy --for admin`,
    NoSuchBucket: `there is no bucket ${bucket}`,
    NotImplemented: 'this store has no such rules; what ends unfinished uploads is then the sweep of the workers',
    InvalidAccessKeyId: 'the store does not know the access key',
    SignatureDoesNotMatch: 'the store does not accept the secret key',
  };
  const words = says[error.name];
  return words === undefined ? error : new Error(`${words} (${error.name})`, { cause: error });
}
