/**
 * Requests of the console as somebody would make them elsewhere: `curl`, SQL, TypeScript. Texts and nothing else. Invariant:
 * a name is quoted for the language that it stands in, so that no name does anything where the text is pasted.
 */
import type { Chosen } from './chosen.ts';

export type CopiedAction = 'download' | 'link' | 'list' | 'delete';

export interface Copied {
  readonly curl: string;
  readonly sql: string;
  readonly typescript: string;
}

/** An action on what was chosen, in three languages. `service` is its address without a slash at the end. */
export function copiedAction(action: CopiedAction, chosen: Chosen, service: string): Copied {
  const steps = writers[action](chosen, service);
  const client = [
    "import { createClient } from '@rowlock/client';",
    '',
    `const client = createClient({ url: ${quotedForScript(service)}, token: process.env.ROWLOCK_KEY });`,
  ];
  return {
    curl: steps.map(({ curl }) => curl).join('\n'),
    sql: steps.map(({ sql }) => sql).join('\n'),
    typescript: [...client, ...steps.map(({ typescript }) => typescript)].join('\n'),
  };
}

/** A text for a POSIX shell: between single quotes nothing means anything but their end. */
export function quotedForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text for SQL with standard strings, where a backslash is a backslash. */
export function quotedForSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text for TypeScript. What does not show, or ends lines for some readers, is escaped. */
export function quotedForScript(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped.replaceAll(/[\p{Cf}\p{Zl}\p{Zp}]/gu, escapeOf)}'`;
}

function escapeOf(character: string): string {
  return [...Array(character.length).keys()]
    .map((place) => `\\u${character.charCodeAt(place).toString(16).padStart(4, '0')}`)
    .join('');
}

type Writer = (chosen: Chosen, service: string) => readonly Copied[];

const key = '-H "Authorization: Bearer $ROWLOCK_KEY"';
const json = `-H 'Content-Type: application/json'`;

function address(service: string, kind: string, bucket: string, name?: string): string {
  const segments = [bucket, ...(name === undefined ? [] : name.split('/'))].map(encodeURIComponent);
  // What encodeURIComponent leaves of a quote stays inside of the shell's own.
  return quotedForShell(`${service}/storage/v1/${kind}/${segments.join('/')}`);
}

const writers: Readonly<Record<CopiedAction, Writer>> = {
  download: ({ bucket, files, folders }, service) => [
    ...files.map((name) => ({
      curl: `curl -fOJ ${key} ${address(service, 'object', bucket, name)}`,
      sql: `SELECT get_download_url(o.id) FROM storage.objects AS o WHERE ${whereIs('o', bucket, name)};`,
      typescript: `const bytes = await (await client.download(${at(bucket, name)})).arrayBuffer();`,
    })),
    ...folders.map((folder) => ({
      curl: `curl -fOJ ${key} ${address(service, 'object/zip', bucket, folder.slice(0, -1))}`,
      sql: `SELECT get_download_url(o.id) FROM storage.objects AS o WHERE ${whereBelow('o', bucket, folder)};`,
      typescript: `for await (const { name } of client.listAll(${at(bucket, folder)})) {
  await client.download(${quotedForScript(bucket)}, name);
}`,
    })),
  ],
  link: ({ bucket, files }, service) =>
    files.map((name) => ({
      curl: `curl -f -X POST ${key} ${json} -d '{"expiresIn": 3600}' ${address(service, 'object/sign', bucket, name)}`,
      sql: `SELECT get_download_url(o.id, 3600) FROM storage.objects AS o WHERE ${whereIs('o', bucket, name)};`,
      typescript: `const { url } = await client.sign(${at(bucket, name)}, { expirySeconds: 3600 });`,
    })),
  list: ({ bucket, folders }, service) =>
    (folders.length === 0 ? [''] : folders).map((folder) => ({
      curl: `curl -f -X POST ${key} ${json} -d ${quotedForShell(JSON.stringify({ prefix: folder, with_delimiter: true }))} ${address(service, 'object/list-v2', bucket)}`,
      sql: `SELECT name, size, content_type, updated_at FROM storage.objects AS o WHERE ${whereBelow('o', bucket, folder)} ORDER BY name;`,
      typescript: `for await (const entry of client.list(${at(bucket, folder)})) {
  console.log(entry.name);
}`,
    })),
  delete: ({ bucket, files, folders }, service) => [
    ...files.map((name) => ({
      curl: `curl -f -X DELETE ${key} ${address(service, 'object', bucket, name)}`,
      sql: `DELETE FROM storage.objects AS o WHERE ${whereIs('o', bucket, name)};`,
      typescript: `await client.remove(${quotedForScript(bucket)}, [${quotedForScript(name)}]);`,
    })),
    ...folders.map((folder) => ({
      curl: `curl -f -X POST ${key} ${json} -d ${quotedForShell(JSON.stringify({ bucketId: bucket, prefix: folder }))} ${quotedForShell(`${service}/storage/v1/object/delete-prefix`)}`,
      sql: `SELECT * FROM storage.delete_prefix(${quotedForSql(bucket)}, ${quotedForSql(folder)});`,
      typescript: `await client.send({ method: 'POST', path: '/storage/v1/object/delete-prefix', json: { bucketId: ${quotedForScript(bucket)}, prefix: ${quotedForScript(folder)} } });`,
    })),
  ],
};

function at(bucket: string, name: string): string {
  return `${quotedForScript(bucket)}, ${quotedForScript(name)}`;
}

function whereIs(row: string, bucket: string, name: string): string {
  return `${row}.bucket_id = ${quotedForSql(bucket)} AND ${row}.name = ${quotedForSql(name)}`;
}

function whereBelow(row: string, bucket: string, prefix: string): string {
  const below = prefix === '' ? '' : ` AND starts_with(${row}.name, ${quotedForSql(prefix)})`;
  return `${row}.bucket_id = ${quotedForSql(bucket)}${below}`;
}
