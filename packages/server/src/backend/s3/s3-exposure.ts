/**
 * Whether everybody may read, list or write a bucket, past every policy of the database. It asks the store for what it says
 * of itself, and then comes as a stranger. Invariant: what it cannot find out is not called private, and what it writes is
 * removed again and is no key.
 */
import { randomUUID } from 'node:crypto';
import { connectS3, type S3Store } from './s3-client.ts';
import { type S3BackendConfig, s3Settings } from './s3-config.ts';

export interface Exposure {
  /** What everybody may do, in words; empty for a private bucket. */
  readonly open: readonly string[];
  /** What could not be asked, in words. */
  readonly unknown: readonly string[];
}

/** A stranger waits so long for an answer. */
const strangerMs = 5000;

const everybody = /\/groups\/(?:global\/AllUsers|global\/AuthenticatedUsers|s3\/LogDelivery-never)$/;

/** Asks one bucket. @throws RangeError for a configuration that cannot be; RowlockError where it cannot be used */
export async function exposureOf(config: S3BackendConfig): Promise<Exposure> {
  const store = await connectS3(s3Settings(config));
  try {
    const open = new Set<string>();
    const unknown: string[] = [];
    const ask = async (what: string, question: () => Promise<readonly string[]>): Promise<void> => {
      try {
        for (const each of await question()) open.add(each);
      } catch (error) {
        if (!isNone(error)) unknown.push(`${what} (${error instanceof Error ? error.name : 'no answer'})`);
      }
    };
    await Promise.all([
      ask('the status of its policy', () => askStatus(store)),
      ask('its policy', () => askPolicy(store)),
      ask('its ACL', () => askAcl(store)),
      askAsStranger(store).then((found) => {
        for (const each of found) open.add(each);
      }),
    ]);
    return { open: [...open].sort(), unknown: unknown.sort() };
  } finally {
    store.close();
  }
}

/** A store that has no such thing, or a bucket without one. */
function isNone(error: unknown): boolean {
  return (
    error instanceof Error &&
    ['NoSuchBucketPolicy', 'NotImplemented', 'MethodNotAllowed', 'NoSuchPublicAccessBlockConfiguration'].includes(
      error.name,
    )
  );
}

async function askStatus({ client, settings: { bucket: Bucket } }: S3Store): Promise<readonly string[]> {
  const { PolicyStatus } = await client.getBucketPolicyStatus({ Bucket });
  return PolicyStatus?.IsPublic === true ? ['the store calls it public'] : [];
}

async function askPolicy({ client, settings: { bucket: Bucket } }: S3Store): Promise<readonly string[]> {
  const { Policy } = await client.getBucketPolicy({ Bucket });
  return isPublicPolicy(Policy ?? '{}') ? ['its policy is public'] : [];
}

/** Whether a policy allows something to everybody without a condition. What a condition means the status says. */
export function isPublicPolicy(text: string): boolean {
  const { Statement } = JSON.parse(text) as { readonly Statement?: unknown };
  const statements = Array.isArray(Statement) ? Statement : Statement === undefined ? [] : [Statement];
  return statements.some((each: Readonly<Record<string, unknown>>) => {
    const { Effect, Principal, Condition } = each;
    return Effect === 'Allow' && Condition === undefined && isEverybody(Principal);
  });
}

function isEverybody(principal: unknown): boolean {
  if (principal === '*') return true;
  if (Array.isArray(principal)) return principal.some(isEverybody);
  const aws: unknown = typeof principal === 'object' && principal !== null ? Reflect.get(principal, 'AWS') : undefined;
  return aws === '*' || (Array.isArray(aws) && aws.includes('*'));
}

async function askAcl({ client, settings: { bucket: Bucket } }: S3Store): Promise<readonly string[]> {
  const { Grants = [] } = await client.getBucketAcl({ Bucket });
  return Grants.filter(({ Grantee }) => everybody.test(Grantee?.URI ?? '')).map(
    ({ Permission }) => `its ACL gives everybody ${Permission}`,
  );
}

/** Comes without a signature: lists, and reads what was written for this. */
async function askAsStranger(store: S3Store): Promise<readonly string[]> {
  const { client, settings } = store;
  const place = { Bucket: settings.bucket, Key: `${settings.key_prefix}.rowlock-check/${randomUUID()}` };
  await store.call((options) => client.putObject({ ...place, Body: 'check', ContentLength: 5 }, options));
  try {
    const base = addressOf(store);
    const [listed, read] = await Promise.all([status(`${base}?list-type=2&max-keys=1`), status(`${base}${place.Key}`)]);
    return [
      ...(listed === 200 ? ['everybody may list it'] : []),
      ...(read === 200 ? ['everybody may read what is in it'] : []),
    ];
  } finally {
    await store.call((options) => client.deleteObject(place, options));
  }
}

/** The bucket, with a slash at its end, as a stranger would find it. */
function addressOf({ settings: { public_endpoint, bucket, force_path_style } }: S3Store): string {
  const url = new URL(public_endpoint);
  const base = url.pathname.replace(/\/$/, '');
  return force_path_style ? `${url.origin}${base}/${bucket}/` : `${url.protocol}//${bucket}.${url.host}${base}/`;
}

async function status(url: string): Promise<number> {
  const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(strangerMs) });
  await answer.body?.cancel();
  return answer.status;
}
