export {
  type ClientOptions,
  createClient,
  type ListOptions,
  type SignOptions,
  StorageClient,
  type UploadOptions,
} from './client.ts';
export * from './contract/index.ts';
export { type DirectUpload, uploadForEntity } from './direct-upload.ts';
