export type {
  AccessAttempt,
  AccessAttemptName,
  AccessExplanation,
  CallerFacts,
  JudgedPolicy,
  PolicyText,
  PolicyVerdict,
} from './access.ts';
export type { Bucket, BucketChanges, BucketLimits, BucketPolicy, NewBucket, Scan, Versioning } from './buckets.ts';
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
export type {
  JobAction,
  JobDetails,
  JobFilter,
  JobLine,
  JobOverview,
  JobPage,
  JobState,
  JobsChanged,
  KeptAmount,
  QueueFacts,
  StorageHealth,
} from './jobs.ts';
export type {
  Entry,
  ListedObject,
  ListPage,
  ObjectInfo,
  SignedLink,
  UploadedObject,
  UploadRequest,
  UploadRequestState,
  WrittenObject,
} from './objects.ts';
export type {
  ArrivedPart,
  BegunMultipart,
  MultipartRequestState,
  MultipartState,
  SignedPart,
} from './parts.ts';
export type { EntityFile, ImageFacts, Picture, ThumbnailStatus, Variant } from './pictures.ts';
export type { ObjectVersion, VersionPage } from './versions.ts';
