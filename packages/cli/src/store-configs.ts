/**
 * From options to the stores of bytes: one of each kind that is named, the first for new bytes. It opens nothing. Invariant:
 * no two of them answer presigned URLs below the same path, and none is signed for another's endpoint.
 */
import { resolve } from 'node:path';
import {
  type BackendConfig,
  type DatabaseConfig,
  type S3Flavour,
  s3Flavours,
  type UploadGuard,
  uploadGuards,
} from '@rowlock/server';
import type { Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

type Kind = BackendConfig['kind'];

const kinds: readonly Kind[] = ['disk', 's3', 'postgres'];

/** What a configuration of the API or of workers says of stores. */
export interface StoreConfigs {
  readonly backend: BackendConfig;
  readonly other_backends: readonly BackendConfig[];
}

/** The stores that are named; `database` is for bytes that are rows. @throws UsageError */
export function storeConfigs(settings: Settings, database: DatabaseConfig): StoreConfigs {
  const first = kindOf(settings.required('backend'));
  const others = [...new Set(settings.list('other-backends').map(kindOf))].filter((kind) => kind !== first);
  const hasS3 = [first, ...others].includes('s3');
  const configOf = (kind: Kind): BackendConfig => {
    if (kind === 's3') return s3Config(settings);
    const door = doorOf(settings, hasS3);
    if (kind === 'postgres') {
      const bucket = settings.required('blob-bucket');
      return { kind, ...door, bucket, database, bytes_max: settings.integer('blob-bytes-max') };
    }
    const bucket = settings.text('disk-bucket') ?? (hasS3 ? 'rowlock-disk' : settings.required('s3-bucket'));
    return { kind, ...door, bucket, root: resolve(settings.required('storage-root')) };
  };
  return { backend: configOf(first), other_backends: others.map(configOf) };
}

function kindOf(name: string): Kind {
  const kind = kinds.find((each) => each === name);
  if (kind === undefined) throw new UsageError(`there is no backend "${name}"; there are ${kinds.join(', ')}`);
  return kind;
}

/** How stores without HTTP of their own are named in presigned URLs. Beside an S3 store its endpoint is not ours. */
function doorOf(
  settings: Settings,
  hasS3: boolean,
): {
  readonly endpoint: string;
  readonly region: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
} {
  const publicUrl = settings.text('public-url') ?? `http://${settings.text('host')}:${settings.text('port')}`;
  return {
    endpoint: hasS3 ? publicUrl : (settings.text('s3-public-endpoint') ?? publicUrl),
    region: settings.required('s3-region'),
    access_key_id: settings.required('s3-access-key-id'),
    secret_access_key: settings.required('s3-secret-access-key'),
  };
}

/** The S3 store that is configured. @throws UsageError */
export function s3Config(settings: Settings): Extract<BackendConfig, { kind: 's3' }> {
  const optional = <Name extends string>(name: Name, value: string | undefined): { readonly [key in Name]?: string } =>
    (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string };
  const id = settings.text('s3-access-key-id');
  return {
    kind: 's3',
    bucket: settings.required('s3-bucket'),
    region: settings.required('s3-region'),
    ...optional('endpoint', settings.text('s3-endpoint')),
    ...optional('public_endpoint', settings.text('s3-public-endpoint')),
    ...optional('key_prefix', settings.text('s3-key-prefix')),
    ...flavour(settings.text('s3-flavour')),
    upload_guard: uploadGuard(settings.required('s3-upload-guard')),
    ...pathStyle(settings.text('s3-force-path-style')),
    // Without a key, the SDK's own chain: web identity, the machine's role.
    ...(id === undefined
      ? {}
      : { credentials: { access_key_id: id, secret_access_key: settings.required('s3-secret-access-key') } }),
  };
}

function pathStyle(wanted: string | undefined): { readonly force_path_style?: boolean } {
  if (wanted === undefined) return {};
  if (wanted !== 'on' && wanted !== 'off') throw new UsageError(`S3_FORCE_PATH_STYLE is on or off, not "${wanted}"`);
  return { force_path_style: wanted === 'on' };
}

function uploadGuard(wanted: string): UploadGuard {
  const found = uploadGuards.find((each) => each === wanted);
  if (found === undefined)
    throw new UsageError(`S3_UPLOAD_GUARD is one of ${uploadGuards.join(', ')}, not "${wanted}"`);
  return found;
}

function flavour(wanted: string | undefined): { readonly flavour?: S3Flavour } {
  if (wanted === undefined) return {};
  const found = s3Flavours.find((each) => each === wanted);
  if (found === undefined) throw new UsageError(`S3_FLAVOUR is one of ${s3Flavours.join(', ')}, not "${wanted}"`);
  return { flavour: found };
}
