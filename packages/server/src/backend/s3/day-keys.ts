/**
 * What a signer needs to sign for one store on one day without knowing its secret: the derived key as HMAC's two pads, and
 * everything that a URL spells the same all day. It signs nothing and keeps nothing. Invariant: the secret is in no field
 * of what it returns and cannot be computed from it.
 */
import { uriEncode, uriEncodePath } from './canonical.ts';
import { addressOf, type PresignerConfig } from './presigner.ts';
import { scopeText, signingKey } from './signing-key.ts';

/** A day's key of one store. Whoever has it can sign any request to that region's service for that day. */
export interface DayKey {
  /** `YYYYMMDD`, UTC. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly access_key_id: string;
  readonly session_token: string | undefined;
  readonly endpoint: string;
  readonly bucket: string;
  readonly addressing: 'path' | 'virtual';
  /** As it is signed: `20130524/us-east-1/s3/aws4_request`. */
  readonly scope: string;
  readonly origin: string;
  readonly host: string;
  /** Encoded, the store's own prefix of keys included. */
  readonly path_prefix: string;
  /** The parameters in front of the time. */
  readonly query_prefix: string;
  /** The parameter behind the expiry, of temporary credentials; empty without. */
  readonly query_token: string;
  /** 64 bytes in hex each. */
  readonly inner_pad: string;
  readonly outer_pad: string;
  /** When the credential ends; undefined for a permanent one. */
  readonly credential_ends_at: Date | undefined;
}

/** SHA-256's block (FIPS 180-4), which HMAC fills up with zeros and mixes with its constants (RFC 2104). */
const blockBytes = 64;
const innerConstant = 0x36;
const outerConstant = 0x5c;

/** A store whose keys all have something in front of them. */
export interface PrefixedStore extends PresignerConfig {
  readonly key_prefix?: string;
}

/** Derives the keys of some days, `YYYYMMDD` each. */
export function dayKeys(config: PrefixedStore, days: readonly string[], credentialEndsAt?: Date): readonly DayKey[] {
  const { credentials, region, service = 's3', endpoint, bucket, addressing = 'path' } = config;
  const { access_key_id, secret_access_key, session_token } = credentials;
  const { origin, host, pathPrefix } = addressOf(config);
  return days.map((day) => {
    const key = signingKey(secret_access_key, { date: day, region, service }).export();
    const scope = scopeText({ date: day, region, service });
    return {
      day,
      region,
      service,
      access_key_id,
      session_token,
      endpoint,
      bucket,
      addressing,
      scope,
      origin,
      host,
      path_prefix: pathPrefix + uriEncodePath(config.key_prefix ?? ''),
      query_prefix: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${uriEncode(`${access_key_id}/${scope}`)}`,
      query_token: session_token === undefined ? '' : `&X-Amz-Security-Token=${uriEncode(session_token)}`,
      inner_pad: padded(key, innerConstant),
      outer_pad: padded(key, outerConstant),
      credential_ends_at: credentialEndsAt,
    };
  });
}

function padded(key: Uint8Array, constant: number): string {
  const pad = Buffer.alloc(blockBytes, constant);
  for (const [i, byte] of key.entries()) pad[i] = byte ^ constant;
  return pad.toString('hex');
}
