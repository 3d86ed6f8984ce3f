export {
  type AccessQuestion,
  explainAccess,
  type LiveLink,
  listLinks,
  listPolicies,
  revokeLink,
  whoIs,
} from './access.ts';
export {
  type ClientOptions,
  createClient,
  type ObjectPlace,
  type PutOptions,
  type SignOptions,
  StorageClient,
} from './client.ts';
export * from './contract/index.ts';
export type { FollowOptions } from './follow-changes.ts';
export { changeJobs, countJobs, getJob, jobOverview, listJobs, pauseQueue, storageHealth } from './jobs.ts';
export type { ListOptions } from './list-objects.ts';
export type { PictureOptions, PicturePlace } from './picture-of.ts';
export type { SendPartsOptions } from './send-parts.ts';
export { abortMultipart } from './upload/object-parts.ts';
export type { PartSource } from './upload/part-source.ts';
export {
  browserUploads,
  type PendingUpload,
  type PendingUploads,
  storedUploads,
  type TextStorage,
} from './upload/pending-uploads.ts';
export type {
  Upload,
  UploadChoices,
  UploadedFile,
  UploadProgress,
  UploadSource,
  UploadTarget,
  UploadWay,
} from './upload/upload-options.ts';
export { type UploadInPartsOptions, uploadInParts } from './upload-in-parts.ts';
export type { WaitOptions } from './wait-for-thumbnails.ts';
