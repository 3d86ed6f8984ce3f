/**
 * What an S3 bucket has to be told so that Rowlock can work with it, as documents: CORS, lifecycle, and the least that
 * each kind of credential must be allowed. It sends nothing. Invariant: no document grants a right that nothing here uses.
 */

/** Who a policy is for: the service and its workers, only the signing of URLs, or whoever applies the other documents. */
export type PolicyKind = 'service' | 'signer' | 'admin';

export const policyKinds: readonly PolicyKind[] = ['service', 'signer', 'admin'];

export interface BucketPlace {
  readonly bucket: string;
  /** With its slash at the end; empty for the whole bucket. */
  readonly key_prefix: string;
}

/** As S3 and its tools spell them. */
export interface CorsRule {
  readonly ID: string;
  readonly AllowedOrigins: string[];
  readonly AllowedMethods: string[];
  readonly AllowedHeaders: string[];
  readonly ExposeHeaders: string[];
  readonly MaxAgeSeconds: number;
}

export interface LifecycleRule {
  readonly ID: string;
  readonly Status: 'Enabled';
  readonly Filter: { readonly Prefix: string };
  readonly AbortIncompleteMultipartUpload: { readonly DaysAfterInitiation: number };
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/** By these our rules are known among those of others. */
export const corsRuleId = 'rowlock-direct-transfers';
export const lifecycleRuleId = 'rowlock-unfinished-uploads';

/** Browsers ask again after this long; Chromium asks after two hours whatever it is told. */
const corsSeconds = 3600;

/** Lets pages of these origins upload and download directly, and see the ETag of what they sent. */
export function corsRule(origins: readonly string[]): CorsRule {
  return {
    ID: corsRuleId,
    AllowedOrigins: [...origins],
    AllowedMethods: ['GET', 'HEAD', 'PUT', 'POST'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: corsSeconds,
  };
}

/** Ends uploads of many parts that nobody finished within a day: their parts are paid for and belong to no object. */
export function lifecycleRule({ key_prefix }: Pick<BucketPlace, 'key_prefix'>): LifecycleRule {
  return {
    ID: lifecycleRuleId,
    Status: 'Enabled',
    Filter: { Prefix: key_prefix },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  };
}

/** The least that a credential must be allowed. With `acl`, uploads name an ACL, which is a right of its own. */
export function policyDocument(
  kind: PolicyKind,
  place: BucketPlace,
  { acl = false }: { readonly acl?: boolean } = {},
): PolicyDocument {
  const objects = `arn:aws:s3:::${place.bucket}/${place.key_prefix}*`;
  const bucket = `arn:aws:s3:::${place.bucket}`;
  const more = acl ? ['s3:PutObjectAcl'] : [];
  switch (kind) {
    case 'signer':
      return document([allow('RowlockSign', ['s3:GetObject', 's3:PutObject', ...more], objects)]);
    case 'service':
      return document([
        allow(
          'RowlockObjects',
          [
            's3:GetObject',
            's3:PutObject',
            's3:DeleteObject',
            's3:AbortMultipartUpload',
            's3:ListMultipartUploadParts',
            ...more,
          ],
          objects,
        ),
        {
          ...allow('RowlockList', ['s3:ListBucket'], bucket),
          ...(place.key_prefix === '' ? {} : { Condition: { StringLike: { 's3:prefix': `${place.key_prefix}*` } } }),
        },
        allow('RowlockUnfinished', ['s3:ListBucketMultipartUploads'], bucket),
      ]);
    case 'admin':
      return document([
        allow(
          'RowlockBucketRules',
          ['s3:GetBucketCORS', 's3:PutBucketCORS', 's3:GetLifecycleConfiguration', 's3:PutLifecycleConfiguration'],
          bucket,
        ),
      ]);
  }
}

function allow(Sid: string, Action: readonly string[], Resource: string): PolicyStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
}

function document(Statement: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement };
}
