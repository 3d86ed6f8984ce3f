/**
 * Sends one file and says how far it got. XMLHttpRequest is used because fetch does not report what was sent. It
 * decides nothing: when to send, and again, is for the queue.
 */
import { type ErrorBody, errorSpellings, RowlockError } from '@rowlock/client';
import { objectPath, serviceAddress } from './object-calls.ts';

export interface Transfer {
  readonly key: string;
  readonly bucket: string;
  readonly name: string;
  readonly file: File;
  /** Replace what has the name; otherwise a taken name is refused. */
  readonly replace: boolean;
  /** Called with the bytes that left; all of them left before the service has stored them. */
  readonly onProgress: (sentBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends the file. Resolves when it is stored.
 *
 * @throws RowlockError with the service's reason, `unavailable` where the connection was lost, `client_closed` where
 *   the signal ended it
 */
export function sendFile(transfer: Transfer): Promise<void> {
  const { file, signal } = transfer;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.upload.addEventListener('progress', (event) => transfer.onProgress(Math.min(event.loaded, file.size)));
    request.addEventListener('load', () => {
      if (request.status < 300) {
        resolve();
      } else {
        reject(refusalOf(request.status, request.responseText));
      }
    });
    request.addEventListener('error', () => reject(new RowlockError('unavailable', 'The connection was lost')));
    request.addEventListener('abort', () => reject(new RowlockError('client_closed', 'The upload was cancelled')));
    request.addEventListener('loadend', () => signal.removeEventListener('abort', abort));
    request.open('POST', addressOf(transfer));
    request.setRequestHeader('authorization', `Bearer ${transfer.key}`);
    request.setRequestHeader('content-type', file.type === '' ? 'application/octet-stream' : file.type);
    request.setRequestHeader('x-upsert', String(transfer.replace));
    signal.addEventListener('abort', abort);
    request.send(file);
  });
}

function addressOf({ bucket, name }: Transfer): string {
  return serviceAddress().replace(/\/$/, '') + objectPath('object', bucket, name);
}

/** Reads the error of an answer; a body that is not the service's own (a proxy's page, say) says nothing. */
function refusalOf(status: number, text: string): RowlockError {
  const body = bodyOf(text);
  return body === undefined
    ? new RowlockError(status >= 500 ? 'unavailable' : 'internal', `The answer was ${status}, without a reason`)
    : new RowlockError(body.reason, body.message);
}

function bodyOf(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    const isOurs = typeof body?.message === 'string' && Object.hasOwn(errorSpellings, String(body.reason));
    return isOurs ? (body as ErrorBody) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
