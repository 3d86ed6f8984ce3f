/**
 * A file of a site that is sent as it is, again and again: read once, compressed once for each way that browsers know, when
 * first asked for. It knows no routes. Invariant: every form of a file has a validator of its own.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';

export interface SiteFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** One way that a file is sent. */
export interface SiteFileForm {
  readonly body: Buffer;
  /** For `Content-Encoding`; undefined for the file as it is. */
  readonly encoding: 'br' | 'gzip' | undefined;
  readonly etag: string;
}

const compress = {
  br: (body: Buffer): Promise<Buffer> =>
    promisify(brotliCompress)(body, {
      params: { [zlib.BROTLI_PARAM_QUALITY]: 9, [zlib.BROTLI_PARAM_SIZE_HINT]: body.byteLength },
    }),
  gzip: (body: Buffer): Promise<Buffer> => promisify(gzip)(body, { level: 9 }),
};

/** Smaller ones are not worth it. */
const compressedBytesMin = 256;

const forms = new WeakMap<SiteFile, Map<'br' | 'gzip', Promise<Buffer>>>();

/** Makes a file of a site. */
export function siteFile(body: Buffer, type: string): SiteFile {
  return { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

/** The smallest form of a file that `Accept-Encoding` allows. */
export async function formOf(file: SiteFile, acceptEncoding: string | undefined): Promise<SiteFileForm> {
  const encoding = encodingFor(acceptEncoding);
  if (encoding === undefined || file.body.byteLength < compressedBytesMin) {
    return { body: file.body, encoding: undefined, etag: file.etag };
  }
  const known = forms.get(file) ?? new Map<'br' | 'gzip', Promise<Buffer>>();
  forms.set(file, known);
  const body = known.get(encoding) ?? compress[encoding](file.body);
  known.set(encoding, body);
  return { body: await body, encoding, etag: `${file.etag.slice(0, -1)}-${encoding}"` };
}

/** The encoding to answer with: Brotli where it is accepted, else gzip (RFC 9110, section 12.5.3). */
function encodingFor(acceptEncoding: string | undefined): 'br' | 'gzip' | undefined {
  const accepted = new Set(
    (acceptEncoding ?? '')
      .toLowerCase()
      .split(',')
      .map((entry) => entry.trim().split(/\s*;\s*/))
      .flatMap(([name = '', ...rest]) => (rest.some((each) => /^q=0(?:\.0*)?$/.test(each)) ? [] : [name])),
  );
  return accepted.has('br') ? 'br' : accepted.has('gzip') ? 'gzip' : undefined;
}
