/**
 * An upload that has begun and whose last bytes a test holds back, so that something can happen in between. It decides
 * nothing about what should become of it.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type MigratedDatabase, signToken, type TestService, until } from '@rowlock/test-harness';

export interface SlowUpload {
  /** Sends the rest: the status and the body of the answer. */
  finish(): Promise<{ readonly status: number; readonly body: string }>;
  /** Leaves in the middle. */
  abort(): void;
}

/** Begins an upload of `ann`, or one to a presigned URL, and resolves when its intent is there. */
export async function beginUpload(
  service: TestService,
  target: { readonly path: string; readonly body: Buffer; readonly headers?: Readonly<Record<string, string>> },
): Promise<SlowUpload> {
  const url = new URL(target.path, service.url);
  const isPresigned = url.searchParams.has('X-Amz-Signature');
  const token = await signToken({ sub: 'ann', role: 'authenticated' });
  const sent = request(url, {
    method: isPresigned ? 'PUT' : 'POST',
    headers: {
      ...target.headers,
      ...(isPresigned ? {} : { authorization: `Bearer ${token}` }),
      'content-length': String(target.body.length),
    },
  });
  const half = Math.ceil(target.body.length / 2);
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined); // told by finish, when somebody asks
  sent.write(target.body.subarray(0, half));
  await untilReceiving(service.database);
  return {
    async finish() {
      sent.end(target.body.subarray(half));
      const [answer] = await answered;
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      return { status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
    },
    abort: () => void sent.destroy(),
  };
}

async function untilReceiving(database: MigratedDatabase): Promise<void> {
  const open = () => database.query("SELECT FROM storage.uploads WHERE state = 'open'");
  await until(async () => (await open()).length > 0, { what: 'the upload has begun' });
}
