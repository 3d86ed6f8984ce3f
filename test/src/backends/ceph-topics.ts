/**
 * Makes Ceph push the events of a bucket to an address, as its operators do: a topic by the SNS dialect, and a notification
 * of the bucket. The secret is the password of the address, which Ceph takes over HTTPS only: the request says that it came so.
 */
import { hash } from 'node:crypto';
import { PutBucketNotificationConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { canonicalRequestHash } from '../../../packages/server/dist/backend/s3/canonical.js';
import { amzTimestamp } from '../../../packages/server/dist/backend/s3/presigner.js';
import type { S3BackendConfig } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { scopeText, signature, signingKey } from '../../../packages/server/dist/backend/s3/signing-key.js';

type Store = S3BackendConfig & { readonly endpoint: string };

/** Pushes every creation in the bucket of a store to an address, until the bucket goes. */
export async function pushEvents(store: Store, address: string): Promise<void> {
  const name = `t${hash('sha256', address, 'hex').slice(0, 16)}`;
  const body = new URLSearchParams({
    Action: 'CreateTopic',
    Name: name,
    'Attributes.entry.1.key': 'push-endpoint',
    'Attributes.entry.1.value': address,
    Version: '2010-03-31',
  }).toString();
  const answer = await fetch(`${store.endpoint}/`, { method: 'POST', body, headers: signed(store, body) });
  const text = await answer.text();
  const [, arn] = /<TopicArn>([^<]+)</.exec(text) ?? [];
  if (arn === undefined) throw new Error(`the gateway made no topic: ${answer.status} ${text}`);
  const client = clientOf(store);
  try {
    const TopicConfigurations = [{ Id: name, TopicArn: arn, Events: ['s3:ObjectCreated:*' as const] }];
    const NotificationConfiguration = { TopicConfigurations };
    await client.send(
      new PutBucketNotificationConfigurationCommand({ Bucket: store.bucket, NotificationConfiguration }),
    );
  } finally {
    client.destroy();
  }
}

function signed(store: Store, body: string): Record<string, string> {
  const { access_key_id = '', secret_access_key = '' } = store.credentials ?? {};
  const timestamp = amzTimestamp(new Date());
  const scope = { date: timestamp.slice(0, 8), region: store.region, service: 's3' };
  const payloadHash = hash('sha256', body, 'hex');
  const headers: (readonly [string, string])[] = [
    ['content-type', 'application/x-www-form-urlencoded'],
    ['host', new URL(store.endpoint).host],
    ['x-amz-content-sha256', payloadHash],
    ['x-amz-date', timestamp],
  ];
  const hashed = canonicalRequestHash({ method: 'POST', path: '/', query: '', headers, payloadHash });
  const made = signature(signingKey(secret_access_key, scope), timestamp, scopeText(scope), hashed);
  const names = headers.map(([each]) => each).join(';');
  const credential = `${access_key_id}/${scopeText(scope)}`;
  return {
    ...Object.fromEntries(headers),
    'x-forwarded-proto': 'https',
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${made}`,
  };
}

function clientOf({ endpoint, region, credentials }: Store): S3Client {
  const { access_key_id: accessKeyId = '', secret_access_key: secretAccessKey = '' } = credentials ?? {};
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}
