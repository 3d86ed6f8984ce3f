/**
 * Server-sent events as they go over the wire (WHATWG HTML, "Server-sent events"). It knows text and sockets, not what
 * the events are. Invariant: nothing is written to a client that has not taken what was written before.
 */
import type { ServerResponse } from 'node:http';

export interface ServerSentEvent {
  /** What the client sends back as `Last-Event-ID`. An event of an id alone moves it on and is shown to nobody. */
  readonly id?: string;
  /** Its type; `message` unless given. */
  readonly event?: string;
  readonly data?: unknown;
}

/** One event as text. Data is JSON, which has no line breaks. */
export function eventText({ id, event, data }: ServerSentEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return `${lines.join('\n')}\n\n`;
}

/** Writes text, and waits until the client has taken it. False when it did not in time, or is gone. */
export async function writeTaken(response: ServerResponse, text: string, timeoutMs: number): Promise<boolean> {
  if (response.destroyed || response.writableEnded) return false;
  if (response.write(text)) return true;
  return new Promise((resolve) => {
    const end = (taken: boolean): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(taken);
    };
    const onDrain = (): void => end(true);
    const onClose = (): void => end(false);
    const timer = setTimeout(() => end(false), timeoutMs);
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}
