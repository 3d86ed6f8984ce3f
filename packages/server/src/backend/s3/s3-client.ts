/**
 * The one way to an S3 store: makes the SDK's client with our timeouts and the store's quirks, and calls it so that
 * errors come out as the backend interface has them. The SDK is loaded with the first call, so a process that only signs
 * does not wait for it. Invariant: every call ends, by an answer, an error, its signal or a timeout.
 */
import type { S3 } from '@aws-sdk/client-s3';
import { RowlockError } from '@rowlock/client/contract';
import { assertKey } from '../keys.ts';
import type { S3Settings } from './s3-config.ts';
import { s3Error } from './s3-errors.ts';
import { PatientSockets } from './s3-sockets.ts';

const connectMs = 3000;
/** The SDK waits for a random time in between, up to 0.1 s, then 0.2 s; where the store says slow down, five times that. */
const attemptsMax = 3;
/** S3's limit, the prefix included. */
const keyBytesMax = 1024;
const clockNoiseMs = 5000;
/** How long one answer of a bucket is proof that it is there. */
const bucketProvenMs = 60_000;

export interface CallOptions {
  readonly abortSignal?: AbortSignal;
}

/** Where an object is, as the SDK spells it. */
export interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** A store that can be called. Nothing is sent before the first call, so a store that is away is no error here. */
export class S3Store {
  readonly settings: S3Settings;
  readonly sockets: PatientSockets;
  #client: S3 | undefined;
  #connecting: Promise<S3> | undefined;
  #bucketProvenAt = Number.NEGATIVE_INFINITY;

  constructor(settings: S3Settings) {
    this.settings = settings;
    this.sockets = new PatientSockets(settings.idle_ms);
  }

  /** The SDK's client, for requests of `call`. It is there once `connect` was awaited, as `call` does. */
  get client(): S3 {
    if (this.#client === undefined) throw new Error('the store is not connected');
    return this.#client;
  }

  /** Loads the SDK and makes its client, once. Sends nothing. */
  async connect(): Promise<S3> {
    this.#connecting ??= makeClient(this.settings, this.sockets);
    this.#client ??= await this.#connecting;
    return this.#client;
  }

  /** The store's time, as its answers tell it. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** By how much the store's clock is ahead of ours in milliseconds; answers tell seconds, so a few of them mean nothing. */
  get clockOffsetMs(): number {
    const offset = this.#client?.config.systemClockOffset ?? 0;
    return Math.abs(offset) < clockNoiseMs ? 0 : offset;
  }

  place(key: string): Place {
    assertKey(key);
    const { bucket, key_prefix } = this.settings;
    if (key_prefix.length + key.length > keyBytesMax) {
      throw new RowlockError('name_too_long', `The key and its prefix are longer than ${keyBytesMax} bytes.`);
    }
    return { Bucket: bucket, Key: key_prefix + key };
  }

  /** Makes a call; a signal that has aborted is told by its own reason. */
  async call<T>(request: (options: CallOptions) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.callRaw(request, signal);
    } catch (error) {
      throw s3Error(error);
    }
  }

  /** The same, with the errors of the SDK. */
  async callRaw<T>(request: (options: CallOptions) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    await this.connect();
    try {
      const answer = await request(signal === undefined ? {} : { abortSignal: signal });
      this.#bucketProvenAt = Date.now();
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * Makes sure that "not there" is about the key. A HEAD has no body: its 404 may as well mean that the bucket is gone,
   * and then no key may be called missing.
   */
  async proveBucket(): Promise<void> {
    if (Date.now() - this.#bucketProvenAt < bucketProvenMs) return;
    await this.call((options) =>
      this.client.listObjectsV2(
        { Bucket: this.settings.bucket, Prefix: this.settings.key_prefix, MaxKeys: 1 },
        options,
      ),
    );
  }

  close(): void {
    this.#client?.destroy();
    this.sockets.destroy();
  }
}

/** A store whose client is there already. */
export async function connectS3(settings: S3Settings): Promise<S3Store> {
  const store = new S3Store(settings);
  await store.connect();
  return store;
}

async function makeClient(settings: S3Settings, sockets: PatientSockets): Promise<S3> {
  const { S3: S3Client } = await import('@aws-sdk/client-s3');
  const { credentials, endpoint, quirks } = settings;
  return new S3Client({
    region: settings.region,
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: settings.force_path_style,
    ...(credentials !== undefined && {
      credentials: {
        accessKeyId: credentials.access_key_id,
        secretAccessKey: credentials.secret_access_key,
        ...(credentials.session_token !== undefined && { sessionToken: credentials.session_token }),
      },
    }),
    maxAttempts: attemptsMax,
    retryMode: 'standard',
    requestChecksumCalculation: quirks.checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    // What we read is checked against our own sha256; the SDK's check would put itself between us and the socket.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // One more round trip for every part, to spare bytes that are hardly ever refused.
    expectContinueHeader: false,
    followRegionRedirects: false,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: 0, // PatientSockets has it
      httpAgent: sockets.http,
      httpsAgent: sockets.https,
      logger: quiet,
    },
  });
}

/** What the SDK would print about itself belongs into no log of ours. */
const nothing = (): void => undefined;
const quiet = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
