/**
 * What stores say of new bytes, in the shapes in which they say it: S3's notifications, which MinIO and Ceph send alike, the
 * same in an envelope of SNS, and the events of EventBridge. It believes nothing but bucket and key, which are only where to
 * look: size, ETag and time of an event are not even read. Invariant: whatever the body, it costs one pass over it.
 */
import { RowlockError } from '@rowlock/client/contract';

/** Bytes are said to be under a key of a store's bucket. */
export interface StoreEvent {
  readonly bucket: string;
  /** As the store has it, its prefix included. */
  readonly key: string;
}

export interface StoreEvents {
  readonly events: readonly StoreEvent[];
  /** Of other things, or of nothing that can be read. */
  readonly ignored: number;
  /** SNS asks whether it may send here: whoever opens this URL says yes. */
  readonly subscribe_url?: string;
}

/** What one request may say at most: S3 sends one, others gather. */
const recordsMax = 1000;
/** A key has 1,024 bytes, each of which may be spelled with three. */
const keyTextMax = 3 * 1024;
const bucketTextMax = 255;

/**
 * Reads the body of a request.
 *
 * @throws RowlockError `invalid_request` for more than a thousand events
 */
export function readStoreEvents(body: unknown): StoreEvents {
  const unwrapped = inEnvelope(body);
  if (unwrapped === undefined) {
    const url = fieldsOf(body)['SubscribeURL'];
    return { events: [], ignored: 1, ...(typeof url === 'string' && { subscribe_url: url }) };
  }
  const records = recordsOf(unwrapped);
  if (records.length > recordsMax) {
    throw new RowlockError('invalid_request', `A request has at most ${recordsMax} events`);
  }
  const events = records.map(eventOf).filter((event) => event !== undefined);
  return { events, ignored: records.length - events.length };
}

/** Whether a URL is one by which SNS confirms: what it is asked to open a server must not believe. */
export function isSubscribeUrl(text: string): boolean {
  if (text.length > 4096 || !URL.canParse(text)) return false;
  const { protocol, host, username, password, searchParams } = new URL(text);
  return (
    protocol === 'https:' &&
    /^sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?$/.test(host) &&
    username === '' &&
    password === '' &&
    searchParams.get('Action') === 'ConfirmSubscription'
  );
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** What SNS has put into its envelope; the body itself without one; undefined for what SNS says of itself. */
function inEnvelope(body: unknown): unknown {
  const { Type: type, Message: message } = fieldsOf(body);
  if (type === 'SubscriptionConfirmation' || type === 'UnsubscribeConfirmation') return undefined;
  if (type !== 'Notification' || typeof message !== 'string') return body;
  try {
    return JSON.parse(message);
  } catch {
    return {}; // somebody else's words on the same topic
  }
}

function recordsOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  const { Records: records } = fieldsOf(body);
  return Array.isArray(records) ? records : [body];
}

/** A notification's record, or an event of EventBridge. */
function eventOf(record: unknown): StoreEvent | undefined {
  const { eventName, s3, detail, source, 'detail-type': kind } = fieldsOf(record);
  if (typeof eventName === 'string' && /^(s3:)?ObjectCreated:/.test(eventName)) {
    return placeOf(fieldsOf(s3), decodedKey);
  }
  return source === 'aws.s3' && kind === 'Object Created' ? placeOf(fieldsOf(detail), (key) => key) : undefined;
}

function placeOf(where: Fields, decode: (key: string) => string | undefined): StoreEvent | undefined {
  const { name } = fieldsOf(where['bucket']);
  const { key } = fieldsOf(where['object']);
  if (typeof name !== 'string' || typeof key !== 'string') return undefined;
  if (name.length > bucketTextMax || key.length > keyTextMax) return undefined;
  const decoded = decode(key);
  return decoded === undefined ? undefined : { bucket: name, key: decoded };
}

/** Notifications spell keys as forms do: a plus is a space. No key of ours has either, whether the store encodes or not. */
function decodedKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
