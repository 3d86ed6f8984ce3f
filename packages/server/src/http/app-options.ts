/** What the HTTP edge is given. It reaches the database and the bytes through operations only. */
import type { AccessRules } from '../auth/access-rules.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { ChangeFeed } from '../changes/change-feed.ts';
import type { Observe } from '../domain/observation.ts';
import type { Prices } from '../domain/storage-costs.ts';
import type { AuditTrail } from '../operations/audit.ts';
import type { BlobDoor } from '../operations/blob-door.ts';
import type { HealthFinding } from '../operations/check-health.ts';
import type { OperationContext } from '../operations/context.ts';
import type { RefusalExplainer } from '../operations/explain-refusal.ts';
import type { HostRoutes } from './by-host.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ErrorStatus } from './error-status.ts';
import type { RateLimits } from './rate-limit.ts';
import type { StoreEventParts } from './routes/store-event-routes.ts';

/** Signing in to the console by links that work once. */
export interface ConsoleSignIn {
  readonly links: SignInLinks;
  /** A new key of the service role, or of somebody who uses the application. */
  readonly keyOf: (as: 'service' | 'user') => Promise<string>;
}

export interface AppOptions {
  readonly context: OperationContext;
  readonly verifier: TokenVerifier;
  readonly rules: AccessRules;
  readonly observe: Observe;
  readonly feed: ChangeFeed;
  /** The base of absolute URLs in answers, without a slash at its end; the request's own host when undefined. */
  readonly publicUrl: string | undefined;
  /** Origins that browsers may call from; `*` for any, without credentials. */
  readonly corsOrigins: readonly string[];
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Host names that are served; any when empty. Protects a development server from rebinding of names. */
  readonly allowedHosts: readonly string[];
  /** Who else answers on this listener, by host name; nobody when undefined. */
  readonly hosts: HostRoutes | undefined;
  /** Presigned URLs that we answer ourselves, for stores that do not; each below another path. */
  readonly doors: readonly BlobDoor[];
  /** What places for bytes cost; nothing is estimated without. */
  readonly prices: Prices | undefined;
  /** Folder of the console's built site; no console when undefined. */
  readonly consoleFolder: string | undefined;
  /** Links that sign in to it, in development; none when undefined. */
  readonly consoleSignIn: ConsoleSignIn | undefined;
  /** How HTTP spells the status of an error; as it is when undefined. */
  readonly errorStatus: ErrorStatus | undefined;
  /** Whether `/docs` shows what `/openapi.json` says. */
  readonly apiDocs: boolean;
  /** Rejects while the process cannot serve. */
  readonly ready: () => Promise<void>;
  /** What the last look at database and store found. */
  readonly health: () => readonly HealthFinding[];
  /** Takes events of S3 stores from whoever knows their secret; nobody is listened to when undefined. */
  readonly storeEvents: Pick<StoreEventParts, 'secret' | 'announce'> | undefined;
  /** What Prometheus must send as a bearer token; metrics are for everybody when undefined. */
  readonly metricsToken: string | undefined;
  readonly limits: ConnectionLimits;
  readonly rateLimits: RateLimits;
  readonly audit: AuditTrail;
  readonly explainer: RefusalExplainer;
  readonly metrics: () => Promise<{ readonly content_type: string; readonly text: string }>;
  readonly version: string;
}
