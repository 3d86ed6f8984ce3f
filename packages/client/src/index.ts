export { type ClientOptions, createClient, type ListOptions, StorageClient, type UploadOptions } from './client.ts';
export * from './contract/index.ts';
export { type DirectUpload, uploadForEntity } from './direct-upload.ts';
