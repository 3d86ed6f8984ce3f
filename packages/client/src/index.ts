export {
  type ClientOptions,
  createClient,
  type ObjectPlace,
  type SignOptions,
  StorageClient,
  type UploadOptions,
} from './client.ts';
export * from './contract/index.ts';
export { type DirectUpload, uploadForEntity } from './direct-upload.ts';
export type { FollowOptions } from './follow-changes.ts';
export type { ListOptions } from './list-objects.ts';
export type { PartSource, SendPartsOptions } from './send-parts.ts';
export { abortMultipart, type UploadInPartsOptions, uploadInParts } from './upload-in-parts.ts';
