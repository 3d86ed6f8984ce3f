/**
 * The functions that may be called by name over HTTP, and how each is called. Arguments are bound, one statement for
 * each set of names; identifiers come from this table only.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

export interface RpcDefinition {
  readonly name: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly type: 'text' | 'uuid' | 'bigint' | 'boolean' | 'integer' | 'uuid[]' | 'integer[]' | 'jsonb';
    readonly optional?: boolean;
  }[];
  /** Whether it writes: then GET is refused. */
  readonly volatile: boolean;
  /** `value`: one JSON value; `rows`: an array of objects; `nothing`: 204. */
  readonly returns: 'value' | 'rows' | 'nothing';
}

export type RpcResult = { readonly body: unknown } | undefined;

const text = (name: string, optional = false) => ({ name, type: 'text', optional }) as const;
const uuid = (name: string) => ({ name, type: 'uuid' }) as const;
const uploadId = { name: 'p_upload_id', type: 'uuid' } as const;
const expiresIn = { name: 'p_expires_in', type: 'integer', optional: true } as const;

export const rpcDefinitions: readonly RpcDefinition[] = [
  {
    name: 'request_upload_url',
    parameters: [text('p_entity_type'), text('p_entity_id'), text('p_file_name'), text('p_file_type')],
    volatile: true,
    returns: 'value',
  },
  { name: 'get_upload_url', parameters: [uuid('p_request_id')], volatile: false, returns: 'rows' },
  {
    name: 'request_upload',
    parameters: [
      text('p_entity_type'),
      text('p_entity_id'),
      text('p_file_name'),
      text('p_file_type'),
      { name: 'p_file_size', type: 'bigint', optional: true },
      text('p_property_name', true),
      { name: 'p_consent_location', type: 'boolean', optional: true },
      text('p_sha256', true),
    ],
    volatile: true,
    returns: 'value',
  },
  { name: 'get_upload_request', parameters: [uuid('p_request_id')], volatile: false, returns: 'value' },
  {
    name: 'create_file_record',
    parameters: [
      uuid('p_id'),
      text('p_entity_type'),
      text('p_entity_id'),
      text('p_file_name'),
      text('p_file_type'),
      { name: 'p_file_size', type: 'bigint' },
      text('p_s3_bucket'),
      text('p_s3_original_key'),
      text('p_thumbnail_status', true),
      text('p_property_name', true),
    ],
    volatile: true,
    returns: 'value',
  },
  { name: 'delete_file_record', parameters: [uuid('p_file_id')], volatile: true, returns: 'nothing' },
  { name: 'get_file_exif', parameters: [uuid('p_file_id')], volatile: false, returns: 'value' },
  {
    name: 'set_location_consent',
    parameters: [uuid('p_file_id'), { name: 'p_consent', type: 'boolean' }],
    volatile: true,
    returns: 'nothing',
  },
  { name: 'get_file_storage_stats', parameters: [], volatile: false, returns: 'rows' },
  { name: 'rotate_object_name', parameters: [text('p_bucket'), text('p_name')], volatile: true, returns: 'value' },
  {
    name: 'get_upload_url_sync',
    parameters: [text('p_entity_type'), text('p_entity_id'), text('p_file_name'), text('p_file_type')],
    volatile: true,
    returns: 'value',
  },
  {
    name: 'get_download_url',
    parameters: [uuid('p_id'), expiresIn, text('p_download', true)],
    volatile: false,
    returns: 'value',
  },
  {
    name: 'get_download_urls',
    parameters: [{ name: 'p_ids', type: 'uuid[]' }, expiresIn, { name: 'p_download', type: 'boolean', optional: true }],
    volatile: false,
    returns: 'rows',
  },
  {
    name: 'file_urls',
    parameters: [{ name: 'p_ids', type: 'uuid[]' }, expiresIn],
    volatile: false,
    returns: 'rows',
  },
  { name: 'get_picture', parameters: [uuid('p_id'), expiresIn], volatile: false, returns: 'value' },
  {
    name: 'get_entity_files',
    parameters: [text('p_entity_type'), text('p_entity_id')],
    volatile: false,
    returns: 'rows',
  },
  {
    name: 'request_multipart_upload',
    parameters: [
      text('p_entity_type'),
      text('p_entity_id'),
      text('p_file_name'),
      text('p_file_type'),
      { name: 'p_file_size', type: 'bigint' },
      text('p_property_name', true),
      { name: 'p_consent_location', type: 'boolean', optional: true },
      text('p_sha256', true),
      { name: 'p_part_size', type: 'bigint', optional: true },
    ],
    volatile: true,
    returns: 'value',
  },
  { name: 'get_multipart_upload', parameters: [uploadId], volatile: false, returns: 'value' },
  {
    name: 'get_part_urls',
    parameters: [uploadId, { name: 'p_parts', type: 'integer[]' }, expiresIn],
    volatile: false,
    returns: 'rows',
  },
  { name: 'list_parts', parameters: [uploadId], volatile: true, returns: 'value' },
  {
    name: 'complete_multipart_upload',
    parameters: [uploadId, { name: 'p_parts', type: 'jsonb', optional: true }],
    volatile: true,
    returns: 'value',
  },
  { name: 'abort_multipart_upload', parameters: [uploadId], volatile: true, returns: 'value' },
];

function statementFor(definition: RpcDefinition, names: readonly string[], schema: string): Statement {
  const bound = definition.parameters
    .filter((parameter) => names.includes(parameter.name))
    .map((parameter) => `${parameter.name} => $${names.indexOf(parameter.name) + 1}::${parameter.type}`)
    .join(', ');
  const call = `"${schema}".${definition.name}(${bound})`;
  const given = definition.parameters.map((parameter) => (names.includes(parameter.name) ? '1' : '0')).join('');
  const name = `rpc_${definition.name}_${given}`;
  return definition.returns === 'rows'
    ? { name, text: `SELECT coalesce(pg_catalog.json_agg(r), '[]') AS body FROM ${call} AS r` }
    : { name, text: `SELECT pg_catalog.to_json(${call}${definition.returns === 'nothing' ? '::text' : ''}) AS body` };
}

/** Calls a function as the caller. Errors of the function are thrown as the database said them. */
export async function callFunction(
  db: Database,
  caller: Caller,
  definition: RpcDefinition,
  call: {
    readonly args: Readonly<Record<string, string | null>>;
    readonly readOnly: boolean;
    readonly settings: Readonly<Record<string, string>>;
  },
): Promise<RpcResult> {
  const names = definition.parameters.map((parameter) => parameter.name).filter((name) => name in call.args);
  const rows = await db.asCaller<{ body: unknown }>(
    caller,
    { operation: `rpc.${definition.name}`, readOnly: call.readOnly, settings: call.settings },
    statementFor(definition, names, 'public'),
    names.map((name) => call.args[name]),
  );
  return definition.returns === 'nothing' ? undefined : { body: rows[0]?.body };
}

/** The names of the functions, for reference pages. */
export const rpcNames: readonly string[] = rpcDefinitions.map(({ name }) => name);
