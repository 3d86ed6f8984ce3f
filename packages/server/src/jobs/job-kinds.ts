/** Every kind of job that this version performs. */
import { fileClassify } from './file-classify.ts';
import { fileScan } from './file-scan.ts';
import type { JobKind } from './job-kind.ts';
import { multipartCreate } from './multipart-create.ts';
import { multipartList } from './multipart-list.ts';
import { requestCleanup } from './request-cleanup.ts';
import { s3Presign } from './s3-presign.ts';
import { signingKeysRotate } from './signing-keys-rotate.ts';
import { thumbnailGenerate } from './thumbnail-generate.ts';
import { uploadComplete } from './upload-complete.ts';
import { uploadSweep } from './upload-sweep.ts';
import { versionPurge } from './version-purge.ts';
import { versionRecheck } from './version-recheck.ts';

export const jobKinds: readonly JobKind[] = [
  fileClassify,
  fileScan,
  multipartCreate,
  multipartList,
  requestCleanup,
  s3Presign,
  signingKeysRotate,
  thumbnailGenerate,
  uploadComplete,
  uploadSweep,
  versionPurge,
  versionRecheck,
];

/** The names of the kinds, for reference pages and help. */
export const jobKindNames: readonly string[] = jobKinds.map(({ kind }) => kind);
