import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { Presigner, type SigningCredentials } from './presigner.ts';
import { verifyPresigned } from './verify-presigned.ts';

/** Fixed, so that a failure is found again; fast-check prints the seed and path of a counterexample. */
const seed = 20_261_121;
const now = new Date('2026-11-21T23:59:59.999Z');
const bucket = 'some-bucket';

const someCredentials: readonly SigningCredentials[] = [
  { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  { access_key_id: 'ASIAX', secret_access_key: 'another+/=', session_token: 'FwoGZXIvYXdzE+/=token' },
  { access_key_id: 'with space', secret_access_key: '', session_token: `${'A+/='.repeat(300)}~` },
];
const somePlaces = [
  { endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', addressing: 'path' },
  { endpoint: 'https://files.example.com/some/folder', region: 'eu-central-1', addressing: 'path' },
  { endpoint: 'https://s3.eu-west-3.amazonaws.com', region: 'eu-west-3', addressing: 'virtual' },
  { endpoint: 'http://[::1]:9000', region: 'auto', addressing: 'path' },
] as const;

/** Ours and theirs for each place and credential. */
const contestants = somePlaces.flatMap((place) =>
  someCredentials.map((credentials) => ({
    place,
    credentials,
    ours: new Presigner({ ...place, bucket, credentials }),
    theirs: new S3Client({
      endpoint: place.endpoint,
      region: place.region,
      forcePathStyle: place.addressing === 'path',
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: {
        accessKeyId: credentials.access_key_id,
        secretAccessKey: credentials.secret_access_key,
        ...(credentials.session_token !== undefined && { sessionToken: credentials.session_token }),
      },
    }),
  })),
);

const anyKey = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'abZ09-_.~!*\'()+ %&=?#:;,@$"<>[]{}|\\^`/é😀'), minLength: 1, maxLength: 40 }),
  )
  .filter((key) => !key.startsWith('/'));
const anyText = fc.string({ unit: fc.constantFrom(...'aZ9 +/=&?%~*!;,:é'), minLength: 1, maxLength: 20 });
/** What a header can carry as it stands; the SDK trims nothing. */
const anyValue = fc.string({ unit: fc.constantFrom(...'aZ9+/=&?%~*;,:'), minLength: 1, maxLength: 20 });

/** A kind of request: what the SDK is asked for, and the headers that it must send. */
const anyRequest = fc.oneof(
  fc.record({ kind: fc.constantFrom('GET', 'HEAD', 'DELETE', 'create' as const) }),
  fc.record({
    kind: fc.constant('PUT'),
    meta: anyValue,
    acl: fc.constantFrom('public-read' as const, 'private' as const),
  }),
  fc.record({ kind: fc.constant('part'), upload: anyText, part: fc.integer({ min: 1, max: 10_000 }) }),
  fc.record({ kind: fc.constantFrom('complete', 'abort'), upload: anyText }),
);

type AnyRequest = typeof anyRequest extends fc.Arbitrary<infer T> ? T : never;
type Terms = NonNullable<Parameters<typeof getSignedUrl>[2]>;

/** The URL that the SDK makes of a request. */
async function signedBySdk(client: S3Client, Key: string, request: AnyRequest, terms: Terms): Promise<string> {
  const place = { Bucket: bucket, Key };
  const UploadId = 'upload' in request ? request.upload : '';
  if ('part' in request) {
    return await getSignedUrl(client, new UploadPartCommand({ ...place, UploadId, PartNumber: request.part }), terms);
  }
  if ('meta' in request) {
    const input = { ...place, ACL: request.acl, Metadata: { one: request.meta }, IfNoneMatch: '*' };
    return await getSignedUrl(client, new PutObjectCommand(input), terms);
  }
  switch (request.kind) {
    case 'HEAD':
      return await getSignedUrl(client, new HeadObjectCommand(place), terms);
    case 'DELETE':
      return await getSignedUrl(client, new DeleteObjectCommand(place), terms);
    case 'create':
      return await getSignedUrl(client, new CreateMultipartUploadCommand(place), terms);
    case 'complete':
      return await getSignedUrl(client, new CompleteMultipartUploadCommand({ ...place, UploadId }), terms);
    case 'abort':
      return await getSignedUrl(client, new AbortMultipartUploadCommand({ ...place, UploadId }), terms);
    default:
      return await getSignedUrl(client, new GetObjectCommand(place), terms);
  }
}

const methods: Readonly<Record<string, string>> = { part: 'PUT', create: 'POST', complete: 'POST', abort: 'DELETE' };

function headersOf(request: AnyRequest): Record<string, string> {
  if (!('meta' in request)) return {};
  return { 'x-amz-acl': request.acl, 'x-amz-meta-one': request.meta, 'if-none-match': '*' };
}

/** What is in the URL beside the signature's own parameters and must be given to our signer too. */
function extraParameters(url: string): Record<string, string> {
  const own = /^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$/;
  return Object.fromEntries([...new URL(url).searchParams].filter(([name]) => !own.test(name)));
}

/** The parameters in the order in which the SDK writes them; ours ends with the signature. */
function sortedQuery(url: string): string {
  const [address = '', query = ''] = url.split('?');
  return `${address}?${query.split('&').sort().join('&')}`;
}

test('every kind of request is signed as the AWS SDK signs it, at any endpoint, with and without a session token', async () => {
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.constantFrom(...contestants),
    anyKey,
    anyRequest,
    fc.integer({ min: 1, max: 604_800 }),
    async ({ ours, theirs, place, credentials }, key, request, expirySeconds) => {
      const method = methods[request.kind] ?? request.kind;
      const headers = headersOf(request);
      const theirUrl = await signedBySdk(theirs, key, request, {
        expiresIn: expirySeconds,
        signingDate: now,
        signableHeaders: new Set(Object.keys(headers)),
        unhoistableHeaders: new Set(Object.keys(headers)),
      });
      const query = extraParameters(theirUrl);
      const ourUrl = ours.presign({ method, key, expirySeconds, now, headers, query });
      const { host } = new URL(ourUrl);
      const question = ourUrl.indexOf('?');
      const verified = verifyPresigned({
        method,
        host,
        rawPath: ourUrl.slice(ourUrl.indexOf('/', 8), question),
        rawQuery: ourUrl.slice(question + 1),
        headers,
        credentials,
        region: place.region,
        now,
      });

      assert.equal(sortedQuery(ourUrl), sortedQuery(theirUrl));
      assert.equal(verified.ok, true);
      seen.set(request.kind, (seen.get(request.kind) ?? 0) + 1);
    },
  );

  await fc.assert(property, { numRuns: 1000, seed });

  assert.deepEqual([...seen.keys()].sort(), ['DELETE', 'GET', 'HEAD', 'PUT', 'abort', 'complete', 'create', 'part']);
});
