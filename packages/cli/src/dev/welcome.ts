/** What `rowlock dev` says when it is ready: where things are, and lines to go on with. */
import { relative } from 'node:path';
import { anotherLink } from './console-sign-in.ts';
import type { DevFile } from './dev-folder.ts';

export interface Welcome {
  readonly file: DevFile;
  readonly folder: string;
  readonly photo: string;
  /** With a token that signs in once, where there is one. */
  readonly console: string;
  readonly links: { readonly photo: string; readonly thumbnail: string } | undefined;
}

/** Plain text that fits a terminal; links stand on lines of their own. */
export function welcomeText({ file, folder, photo, console, links }: Welcome): string {
  const { url } = file;
  const keys = `${relative(process.cwd(), folder) || '.'}/dev.json`;
  const key = `$(node -p "JSON.parse(require('fs').readFileSync('${keys}')).authenticated_key")`;
  return [
    '',
    `  Service    ${url}`,
    `  Console    ${console}`,
    ...(console.includes('#') ? [`             (signs in once; ${anotherLink(folder)} makes another link)`] : []),
    `  API        ${url}/openapi.json`,
    `  Keys       ${keys}  (anon_key, authenticated_key, service_key, database_url)`,
    ...(links === undefined
      ? []
      : ['', '  The sample photo and its thumbnail, signed for a day:', '', links.photo, '', links.thumbnail]),
    '',
    '  Upload, download and call a function:',
    '',
    `KEY=${key}`,
    `curl -X POST ${url}/storage/v1/object/files/hello.jpg -H "Authorization: Bearer $KEY" -H 'Content-Type: image/jpeg' --data-binary @${relative(process.cwd(), photo)}`,
    `curl ${url}/storage/v1/object/files/hello.jpg -H "Authorization: Bearer $KEY" -o hello.jpg`,
    `curl -X POST ${url}/rpc/request_upload_url -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"p_entity_type":"issue","p_entity_id":"1","p_file_name":"a.jpg","p_file_type":"image/jpeg"}'`,
    '',
    '  Stop with Ctrl-C. Next: docs/tutorials/first-upload.md',
    '',
    '',
  ].join('\n');
}
