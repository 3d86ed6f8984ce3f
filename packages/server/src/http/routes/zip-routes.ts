/** ZIP downloads over HTTP. It bounds how many are made at once; what is in them is the operation's. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Caller } from '../../domain/caller.ts';
import { type ZipDownload, zipChosen, zipObjects } from '../../operations/zip-objects.ts';
import type { AppOptions } from '../app-options.ts';
import { contentDisposition } from '../send-object.ts';
import { withCaller } from '../with-caller.ts';

/** Checksums and compression take a processor: most archives of this process at once, of one caller, and without tokens. */
const zipsAtOnceMax = 8;
const zipsOfCallerMax = 2;
const zipsOfAnonymousMax = 4;

const folderParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });
/** More are a folder, or several requests: the JSON of a request has a megabyte. */
const chosenMax = 1000;
const chosenBody = Type.Object({
  names: Type.Optional(Type.Array(Type.String(), { maxItems: chosenMax })),
  folders: Type.Optional(Type.Array(Type.String(), { maxItems: chosenMax })),
});
const schema = { tags: ['objects'] };

/** Counts the archives that are being made. */
class RunningZips {
  readonly #callers: Map<string, number> = new Map();
  #all = 0;

  /** Takes a place until the answer has ended. @throws RowlockError `unavailable` where there is none */
  take(caller: Caller, reply: FastifyReply): void {
    const who = ownerOf(caller);
    const own = this.#callers.get(who) ?? 0;
    if (this.#all >= zipsAtOnceMax || own >= (caller.anonymous ? zipsOfAnonymousMax : zipsOfCallerMax)) {
      throw new RowlockError('unavailable', 'Too many ZIP downloads at once; try again when one has ended', {
        retryAfterSeconds: 10,
      });
    }
    this.#all += 1;
    this.#callers.set(who, own + 1);
    reply.raw.once('close', () => {
      this.#all -= 1;
      const left = (this.#callers.get(who) ?? 1) - 1;
      if (left === 0) {
        this.#callers.delete(who);
      } else {
        this.#callers.set(who, left);
      }
    });
  }
}

/** Who a caller is, whichever of their tokens they came with. */
function ownerOf({ role, claims }: Caller): string {
  const { sub, user } = JSON.parse(claims) as { sub?: unknown; user?: { user_id?: unknown } | null };
  return JSON.stringify([role, sub ?? user?.user_id]);
}

/** Registers the download of folders and of whole buckets. */
export function zipRoutes(app: FastifyInstance, options: AppOptions): void {
  const running = new RunningZips();
  const sendZip = async (caller: Caller, reply: FastifyReply, begin: () => Promise<ZipDownload>) => {
    running.take(caller, reply);
    const zip = await begin();
    return reply
      .header('content-disposition', contentDisposition(zip.file_name))
      .header('x-content-type-options', 'nosniff')
      .header('x-robots-tag', 'none')
      .type('application/zip')
      .send(zip.stream);
  };
  const send = (caller: Caller, place: { bucket: string; folder: string }, reply: FastifyReply) =>
    sendZip(caller, reply, () => zipObjects(options.context, caller, place));
  app.get<{ Params: Static<typeof folderParams> }>(
    '/object/zip/:bucket/*',
    { schema: { ...schema, summary: 'Download a folder as a ZIP', params: folderParams }, exposeHeadRoute: false },
    withCaller(options, async (caller, { params }, reply) =>
      send(caller, { bucket: params.bucket, folder: params['*'] }, reply),
    ),
  );
  app.get<{ Params: Static<typeof bucketParams> }>(
    '/object/zip/:bucket',
    { schema: { ...schema, summary: 'Download a bucket as a ZIP', params: bucketParams }, exposeHeadRoute: false },
    withCaller(options, async (caller, { params }, reply) =>
      send(caller, { bucket: params.bucket, folder: '' }, reply),
    ),
  );
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof chosenBody> }>(
    '/object/zip/:bucket',
    {
      schema: {
        ...schema,
        summary: 'Download some objects and folders as a ZIP',
        params: bucketParams,
        body: chosenBody,
      },
    },
    withCaller<{ Params: Static<typeof bucketParams>; Body: Static<typeof chosenBody> }>(
      options,
      async (caller, { params, body }, reply) => {
        const { names = [], folders = [] } = body;
        const request = { bucket: params.bucket, names, folders };
        return sendZip(caller, reply, async () => zipChosen(options.context, caller, request));
      },
    ),
  );
}
