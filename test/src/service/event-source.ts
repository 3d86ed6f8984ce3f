/** A reader of server-sent events for tests: what a browser's EventSource would make of an answer, with headers. */
import type { Change } from '@rowlock/client/contract';

export interface ReceivedEvent {
  readonly event: string;
  /** The last id that was sent, with this event or before it. */
  readonly id: string;
  readonly data: string;
}

/** Reads events as they come, until the answer ends, breaks off, or the signal is given. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  readonly comments: string[] = [];
  lastId = '';
  retry: string | undefined;
  /** Settles when there is nothing more to come: with true where the answer ended, with false where it broke. */
  readonly ended: Promise<boolean>;

  constructor(response: Response) {
    this.ended = this.#read(response).then(
      () => true,
      () => false,
    );
  }

  get changes(): readonly Change[] {
    return this.events.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data) as Change);
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) {
        this.comments.push(line.slice(1).trim());
      } else {
        const [name = '', value = ''] = line.split(/: (.*)/s);
        fields.set(name, value);
      }
    }
    this.retry = fields.get('retry') ?? this.retry;
    this.lastId = fields.get('id') ?? this.lastId;
    const data = fields.get('data');
    if (data !== undefined) {
      this.events.push({ event: fields.get('event') ?? 'message', id: this.lastId, data });
    }
  }
}
