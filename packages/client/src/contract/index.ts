export type { Bucket, BucketPolicy, NewBucket } from './buckets.ts';
export type { Change, ChangePage, ChangeType } from './changes.ts';
export {
  type ErrorBody,
  type ErrorReason,
  type ErrorSpelling,
  errorBody,
  errorSpellings,
  isRowlockError,
  RowlockError,
  type RowlockErrorOptions,
} from './errors.ts';
export type { Entry, ObjectInfo, SignedLink, UploadedObject, UploadRequestState } from './objects.ts';
