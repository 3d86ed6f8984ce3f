/** Which PostgreSQL role a token means: configuration, and how to find a nested claim. It verifies nothing. */

export interface AccessRules {
  /** The role of requests without a token. */
  readonly anonymous_role: string;
  /** The role of valid tokens that name none. */
  readonly default_role: string;
  /** The roles that tokens may name. */
  readonly allowed_roles: readonly string[];
  /** Where the role stands in the claims: a path such as `['role']`. */
  readonly role_claim: readonly string[];
}

/** The value at a path of own properties, or `undefined`. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}
