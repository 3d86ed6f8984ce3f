/** Uploads as actions: whole, in parts, broken off, by a signed URL. */
import { until } from '@rowlock/test-harness';
import type { Action } from './action.ts';
import { signUpload } from './links.ts';
import { lost } from './lost.ts';
import type { Place } from './relocations.ts';
import { type ModelSite, metadataHeaders, uploadHeaders } from './site.ts';
import { asHttp } from './spelling.ts';
import { type StreamAnswer, UploadStream } from './upload-stream.ts';
import { type Metadata, Refused, type UploadRequest, type Who, type World } from './world.ts';
import { beginUpload, commitUpload, upload } from './writes.ts';

const described = ({ who, bucket, name, text, overwrite, if_match, is_free }: UploadRequest): string =>
  [
    `${who} uploads ${text} to ${bucket}/${name}`,
    ...(overwrite === null ? [] : [`overwrite ${overwrite}`]),
    ...(if_match === null ? [] : [`if it is ${if_match}`]),
    ...(is_free ? ['if it is free'] : []),
  ].join(', ');

const byStatus: Readonly<Record<number, string>> = { 201: 'created', 200: 'replaced' };

/** An intent that nobody ends: its process was killed, or lost its database. */
export function leaveIntent(world: World, request: UploadRequest): World[] {
  const left = structuredClone(world);
  try {
    beginUpload(left, request, { id: -1 - left.clock }).is_alive = false;
    return [left];
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}

/** A whole upload over HTTP. */
export function uploadAction(request: UploadRequest): Action {
  const { who, bucket, name, text } = request;
  return {
    label: described(request),
    apply: (world) => asHttp(world, request, () => upload(world, request)),
    async perform(site) {
      const headers = uploadHeaders(request, (each) => site.etagOf(each));
      site.etagOf(text);
      const init = { method: 'POST', headers, body: text };
      const answer = await site.send(who, `/object/${site.pathOf(bucket, name)}`, init);
      return answer.word === 'done' ? (byStatus[answer.status] ?? `${answer.status}`) : answer.word;
    },
    unanswered: (before, after) => [before, after, ...leaveIntent(before, request)],
  };
}

/** The beginning of an upload: its head and a part of its bytes. The intent is there when this has been answered. */
export function beginAction(request: UploadRequest, id: number): Action {
  const { who, bucket, name, text } = request;
  return {
    label: `${described(request)}, begun as ${id}`,
    apply(world) {
      asHttp(world, request, () => beginUpload(world, request, { id }));
      return 'begun';
    },
    async perform(site) {
      site.etagOf(text);
      const count = async (): Promise<number> =>
        (await site.service.database.query('SELECT id FROM storage.uploads')).length;
      const before = await count();
      const headers = { ...(await site.headersOf(who)), ...uploadHeaders(request, (each) => site.etagOf(each)) };
      const url = new URL(`/storage/v1/object/${site.pathOf(bucket, name)}`, site.service.url);
      const stream = new UploadStream(url, headers, text);
      stream.send(1);
      await until(async () => stream.isAnswered || (await count()) > before, { intervalMs: 2, what: 'it has begun' });
      if (!stream.isAnswered) {
        site.streams.set(id, stream);
        return 'begun';
      }
      const answer = await stream.answer;
      stream.destroy();
      return wordOf(answer);
    },
  };
}

const wordOf = ({ status, reason }: StreamAnswer): string =>
  status === 0 || status >= 500 ? lost : (reason ?? byStatus[status] ?? `${status}`);

/** More bytes of an upload that is under way change nothing. */
export const partAction = (id: number): Action => ({
  label: `more of upload ${id}`,
  apply: () => 'sent',
  async perform(site) {
    site.streams.get(id)?.send(3);
    return 'sent';
  },
});

/** The rest of the bytes: everything is asked again, as whoever began. */
export function finishAction(id: number, request: UploadRequest): Action {
  return {
    label: `the end of upload ${id} of ${request.bucket}/${request.name}`,
    apply(world) {
      return asHttp(world, request, () => commitUpload(world, id));
    },
    refused: (world) => forget(world, id),
    async perform(site) {
      const stream = site.streams.get(id);
      site.streams.delete(id);
      return stream === undefined ? 'upload_gone' : wordOf(await stream.finish());
    },
    unanswered(before, after) {
      const left = structuredClone(before);
      for (const each of left.uploads) if (each.id === id) each.is_alive = false;
      return [left, after];
    },
  };
}

function forget(world: World, id: number): void {
  world.uploads = world.uploads.filter((each) => each.id !== id);
}

/** The client goes away: the intent goes, and what it held back is given back. */
export const abortAction = (id: number): Action => ({
  label: `upload ${id} is broken off`,
  apply(world) {
    forget(world, id);
    return 'gone';
  },
  async perform(site) {
    const open = async (): Promise<number> =>
      (await site.service.database.query('SELECT id FROM storage.uploads')).length;
    const before = await open();
    site.streams.get(id)?.destroy();
    site.streams.delete(id);
    await until(async () => (await open()) < before, { intervalMs: 2, what: 'the intent is given up' });
    return 'gone';
  },
});

export function signUploadAction(
  who: Who,
  at: Place,
  given: { readonly id: number; readonly overwrite: boolean },
): Action {
  return {
    label: `${who} signs upload ${given.id} of ${at.bucket}/${at.name}${given.overwrite ? ', overwriting' : ''}`,
    apply(world) {
      asHttp(world, { who, bucket: at.bucket }, () => signUpload(world, who, at, given));
      return 'done';
    },
    async perform(site) {
      const headers = { 'x-upsert': String(given.overwrite) };
      const answer = await site.post(who, `/object/upload/sign/${site.pathOf(at.bucket, at.name)}`, {}, headers);
      if (answer.word === 'done') site.tickets.set(given.id, (JSON.parse(answer.text) as { readonly url: string }).url);
      return answer.word;
    },
    // A URL whose answer was lost is nobody's.
    unanswered: (before) => [before],
  };
}

/** An upload by whoever holds the URL, as who signed it. */
export function useTicketAction(
  ticket: { readonly id: number; readonly who: Who; readonly at: Place; readonly overwrite: boolean },
  body: Metadata & Pick<UploadRequest, 'text' | 'type'>,
): Action {
  const { id, who, at, overwrite } = ticket;
  const request: UploadRequest = { ...body, who, ...at, overwrite, if_match: null, is_free: false };
  return {
    label: `somebody uploads ${body.text} by ticket ${id} to ${at.bucket}/${at.name}`,
    apply: (world) => byTicket(() => useTicket(world, id, request)),
    async perform(site) {
      return await sendByTicket(site, id, body);
    },
    unanswered: (before, after) => [before, after, ...leaveIntent(before, request)],
  };
}

function useTicket(world: World, ticket: number, request: UploadRequest): string {
  if (!world.tickets.some(({ id }) => id === ticket)) throw new Refused('upload_gone');
  const { id } = beginUpload(world, request, { id: -1, ticket });
  return commitUpload(world, id);
}

/** What became of a bucket is not told to whoever holds a URL. */
function byTicket(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(...error.reasons.map((each) => (each === 'bucket_not_found' ? 'upload_gone' : each)));
  }
}

async function sendByTicket(
  site: ModelSite,
  id: number,
  body: Metadata & Pick<UploadRequest, 'text' | 'type'>,
): Promise<string> {
  site.etagOf(body.text);
  const headers = { 'content-type': body.type, ...metadataHeaders(body) };
  const path = site.tickets.get(id);
  if (path === undefined) return 'upload_gone'; // it was not given
  const answer = await site.send('anon', path, { method: 'PUT', headers, body: body.text });
  return answer.word === 'done' ? (byStatus[answer.status] ?? `${answer.status}`) : answer.word;
}
