/**
 * Whether the S3 bucket is closed to strangers, for `doctor`, and for `serve` and `work`, which refuse to start otherwise: what
 * anybody may read there no policy of the database protects. It changes nothing at the store.
 */
import { exposureOf } from '@rowlock/server';
import { type Finding, finding } from './finding.ts';
import type { Settings } from './options.ts';
import { s3Config } from './store-configs.ts';
import { UsageError } from './usage-error.ts';

const name = 's3-bucket';
const close =
  'take public grants out of its policy and its ACL (aws s3api put-public-access-block, delete-bucket-policy, put-bucket-acl --acl private), or set S3_PUBLIC_BUCKET=on if that is meant';

/** Looks at the bucket, where there is an S3 backend. A store that does not answer is a warning: it may come. @throws UsageError */
export async function checkBucket(settings: Settings): Promise<readonly Finding[]> {
  const wanted = settings.required('s3-public-bucket');
  if (wanted !== 'on' && wanted !== 'off') throw new UsageError(`S3_PUBLIC_BUCKET is on or off, not "${wanted}"`);
  if (![settings.required('backend'), ...settings.list('other-backends')].includes('s3')) return [];
  if (wanted === 'on') return [finding(name, 'ok', 'may be public: S3_PUBLIC_BUCKET is on')];
  const { kind: _, ...config } = s3Config(settings);
  try {
    const { open, unknown } = await exposureOf(config);
    if (open.length > 0) return [finding(name, 'fail', `${config.bucket} is public: ${open.join(', ')}`, close)];
    const notAsked = unknown.length === 0 ? '' : `; not asked: ${unknown.join(', ')}`;
    return [finding(name, 'ok', `${config.bucket} is closed to strangers${notAsked}`)];
  } catch (error) {
    const says = `nobody knows whether it is public: ${error instanceof Error ? error.message : String(error)}`;
    return [finding(name, 'warn', says, 'see that the store answers, then ask rowlock doctor')];
  }
}
