/**
 * Keeps a presigner for the credentials that count now. Fetching and renewing them is the SDK's work. Invariant: no URL
 * is signed with credentials that have expired, and where temporary ones can be had anew, none that lives much shorter
 * than was asked for.
 */
import { RowlockError } from '@rowlock/client/contract';
import { Presigner, type SigningCredentials } from './presigner.ts';
import type { S3Store } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';

/** Credentials as the SDK has them. */
interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Credentials, and until when they are good; for ever where that is undefined. */
export interface DatedCredentials extends SigningCredentials {
  readonly valid_until?: Date;
}

/** How often credentials are renewed only because a URL would outlive them. */
const renewEveryMs = 300_000;

/** The presigners of one store, one at a time. */
export class S3Presigners {
  readonly #store: S3Store;
  #current: { readonly secret: string; readonly token: string | undefined; readonly presigner: Presigner } | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(store: S3Store) {
    this.#store = store;
  }

  /** Returns a presigner for a URL that is to live so many seconds. */
  async get(expirySeconds: number): Promise<Presigner> {
    const credentials = await this.credentials(expirySeconds);
    const { secret_access_key: secret, session_token: token } = credentials;
    if (this.#current?.secret !== secret || this.#current.token !== token) {
      const { public_endpoint: endpoint, region, bucket, force_path_style } = this.#store.settings;
      const addressing = force_path_style ? 'path' : 'virtual';
      this.#current = {
        secret,
        token,
        presigner: new Presigner({ endpoint, region, bucket, credentials, addressing }),
      };
    }
    return this.#current.presigner;
  }

  /** The credentials that count now, renewed where they end before so many seconds have passed and that can be helped. */
  async credentials(validForSeconds = 0): Promise<DatedCredentials> {
    let identity = await this.#identity({});
    const now = Date.now();
    const until = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    if (until < now + validForSeconds * 1000 && now - this.#renewedAt >= renewEveryMs) {
      this.#renewedAt = now;
      identity = await this.#identity({ forceRefresh: true });
    }
    if (identity.expiration !== undefined && identity.expiration.getTime() <= Date.now()) {
      throw new RowlockError('unavailable', 'The credentials for the store have expired.', { retryAfterSeconds: 5 });
    }
    return {
      access_key_id: identity.accessKeyId,
      secret_access_key: identity.secretAccessKey,
      ...(identity.sessionToken !== undefined && { session_token: identity.sessionToken }),
      ...(identity.expiration !== undefined && { valid_until: identity.expiration }),
    };
  }

  async #identity(options: { readonly forceRefresh?: boolean }): Promise<Identity> {
    const { credentials } = this.#store.settings;
    if (credentials !== undefined) return identityOf(credentials);
    try {
      return await (await this.#store.connect()).config.credentials(options);
    } catch (error) {
      throw s3Error(error);
    }
  }
}

/** Credentials that are configured, which nobody renews. */
function identityOf({ access_key_id, secret_access_key, session_token }: SigningCredentials): Identity {
  return {
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    ...(session_token !== undefined && { sessionToken: session_token }),
  };
}
