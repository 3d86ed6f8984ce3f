/**
 * Uploads as `multipart/form-data`: the file streams, the fields around it are read. Nothing is kept of the file, and
 * everything else is bounded: parts, their headers, fields, and the bytes before and behind the file. A form with two
 * files, without one, or that ends too early is refused.
 */
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { RowlockError } from '@rowlock/client/contract';
import type { Amendments } from '../operations/upload-object.ts';
import { parseMetadata } from './upload-headers.ts';

const fieldBytesMax = 1_048_576;
const fieldsMax = 20;
/** Everything that is not the file: fields, their headers, and what stands between parts. */
const aroundFileBytesMax: number = 2 * fieldBytesMax;

const limits = { fields: fieldsMax, parts: fieldsMax + 2, fieldSize: fieldBytesMax, headerPairs: 20, headerSize: 8192 };

const refused = (why: string, cause?: unknown): RowlockError =>
  new RowlockError('invalid_request', `The form cannot be read: ${why}`, { cause });

/** Whether a request is a form: its file is the body of the upload. */
export function isForm(contentType: string | undefined): boolean {
  return /^multipart\//i.test(contentType?.trim() ?? '');
}

/** A form that has been read as far as its file. */
export interface OpenedForm {
  /** The fields before the file, and the type that the file's own part declares. */
  readonly said: Amendments;
  /** The file's bytes; read to the end, or left. */
  readonly file: AsyncIterable<Uint8Array>;
  /** What stands behind the file; to be asked when the file has been read. @throws RowlockError `invalid_request` */
  readonly amendments: () => Promise<Amendments | undefined>;
}

/**
 * Reads a form as far as its file.
 *
 * @throws RowlockError `invalid_request` for what is no form with one file, `incomplete_body` where it ends too early
 */
export function openForm(source: AsyncIterable<Uint8Array>, contentType: string): Promise<OpenedForm> {
  return new FormReader(source, contentType).open();
}

class FormReader {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #parser: BusboyInstance;
  readonly #gaveUp: AbortController = new AbortController();
  /** Fields since the beginning, or since the file. */
  #fields: Map<string, string> = new Map();
  /** What the form is refused for; the first counts. */
  #failure: unknown;
  #read = 0;
  #file: { readonly stream: BusboyFileStream; readonly said: Amendments } | undefined;
  #found: () => void = () => undefined;

  constructor(source: AsyncIterable<Uint8Array>, contentType: string) {
    this.#source = source;
    try {
      this.#parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: { ...limits, files: 2 },
        isPartAFile: (_name, type, fileName) => fileName !== undefined || type === 'application/octet-stream',
      });
    } catch (cause) {
      throw refused('it has no boundary', cause);
    }
  }

  async open(): Promise<OpenedForm> {
    const found = new Promise<void>((resolve) => {
      this.#found = resolve;
    });
    this.#listen();
    const read = this.#feed();
    read.catch(() => undefined); // whoever reads the file, or asks for what is behind it, is told
    await Promise.race([found, read]);
    if (this.#file === undefined) {
      throw refused('it has no file');
    }
    const { stream, said } = this.#file;
    return {
      said,
      file: this.#bytesOf(stream),
      amendments: async () => {
        await read;
        return this.#fields.size === 0 ? undefined : meaningOf(this.#fields);
      },
    };
  }

  #listen(): void {
    this.#parser
      .on('field', (name, value, _nameTruncated, valueTruncated) => {
        if (valueTruncated) this.#fail(refused(`a field has at most ${fieldBytesMax} bytes`));
        this.#fields.set(name ?? '', value);
      })
      .on('file', (...[, stream, , , type]) => this.#take(stream, type))
      .on('fieldsLimit', () => this.#fail(refused(`it has at most ${fieldsMax} fields`)))
      .on('partsLimit', () => this.#fail(refused(`it has at most ${fieldsMax} fields`)))
      .on('error', (cause: unknown) =>
        this.#fail(new RowlockError('incomplete_body', 'The form ends before its last boundary', { cause })),
      );
  }

  #take(stream: BusboyFileStream, type: string): void {
    stream.on('error', () => undefined); // the parser says it too
    if (this.#file !== undefined) {
      this.#fail(refused('it has two files'));
      stream.resume();
      return;
    }
    try {
      this.#file = { stream, said: { content_type: type, ...meaningOf(this.#fields) } };
    } catch (error) {
      this.#fail(error);
    }
    this.#fields = new Map();
    this.#found();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#gaveUp.abort();
  }

  /** Feeds the parser at the pace at which the file is taken; ends when the form does. @throws what it is refused for */
  async #feed(): Promise<void> {
    const finished = new Promise<void>((resolve) => this.#parser.once('finish', resolve));
    const { signal } = this.#gaveUp;
    const gaveUp = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    try {
      for await (const chunk of this.#source) {
        if (!this.#parser.write(chunk)) {
          await Promise.race([new Promise<void>((resolve) => this.#parser.once('drain', resolve)), gaveUp]);
        }
        this.#read += chunk.byteLength;
        if (this.#read - (this.#file?.stream.bytesRead ?? 0) > aroundFileBytesMax) {
          this.#fail(refused('it has too much around its file'));
        }
        if (signal.aborted) break;
      }
      if (!signal.aborted) {
        this.#parser.end();
        await Promise.race([finished, gaveUp]);
      }
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The file, with the failure of its form as its own. Leaving it early leaves the form. */
  async *#bytesOf(file: BusboyFileStream): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#gaveUp;
    const onFailure = (): void => void file.destroy(this.#failure instanceof Error ? this.#failure : undefined);
    signal.addEventListener('abort', onFailure, { once: true });
    let ended = false;
    try {
      if (signal.aborted) onFailure();
      yield* file as AsyncIterable<Uint8Array>;
      ended = true;
    } finally {
      signal.removeEventListener('abort', onFailure);
      if (!ended) this.#fail(refused('its file was not read'));
    }
  }
}

/** Fields that have a meaning; others are an application's own and are left. @throws RowlockError `invalid_request` */
function meaningOf(fields: ReadonlyMap<string, string>): Amendments {
  const type = fields.get('contentType');
  const cacheControl = fields.get('cacheControl');
  const metadata = fields.get('metadata') ?? fields.get('userMetadata');
  return {
    ...(type === undefined ? {} : { content_type: type }),
    ...(cacheControl === undefined
      ? {}
      : { cache_control: /^\d{1,10}$/.test(cacheControl) ? `max-age=${cacheControl}` : cacheControl }),
    ...(metadata === undefined
      ? {}
      : { user_metadata: parseMetadata(Buffer.from(metadata), 'The field metadata is not a JSON object') }),
  };
}
