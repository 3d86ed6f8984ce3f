/**
 * What must be true of the databases before anything is served from them: who logs in, who callers become, whether
 * row-level security binds them, and how old the server is. It looks and judges; `doctor` prints it, `serve` obeys.
 */
import { type DatabaseFacts, inspectDatabase } from '@rowlock/server';
import { type Finding, finding } from './finding.ts';
import { options, type Settings } from './options.ts';

/** Minor versions from which row-level security has no known hole (CVE-2024-10976, CVE-2025-8713), by major version. */
const minorMin: Readonly<Record<string, number>> = { 15: 14, 16: 10, 17: 6 };

/** Judges how old the server is. */
export function checkVersion(
  name: string,
  facts: Pick<DatabaseFacts, 'server_version_num' | 'server_version' | 'role'>,
): Finding {
  const [major, minor] = [Math.floor(facts.server_version_num / 10_000), facts.server_version_num % 10_000];
  if (major < 15) {
    return finding(name, 'fail', `PostgreSQL ${facts.server_version} is too old`, 'use PostgreSQL 15 or newer');
  }
  const wanted = minorMin[major] ?? 0;
  return minor >= wanted
    ? finding(name, 'ok', `PostgreSQL ${facts.server_version} as ${facts.role}`)
    : finding(
        name,
        'warn',
        `PostgreSQL ${facts.server_version} has known holes in row-level security`,
        `update to PostgreSQL ${major}.${wanted} or newer`,
      );
}

/** From here on clocks are told of, and from there on they are wrong: S3 refuses what is signed so early or late. */
const skewSeconds = { warn: 60, fail: 900 } as const;

function checkClock(name: string, { clock_skew_seconds: skew }: DatabaseFacts): Finding {
  if (Math.abs(skew) < skewSeconds.warn) return finding(`${name} clock`, 'ok', `differs by ${skew.toFixed(1)} s`);
  const state = Math.abs(skew) < skewSeconds.fail ? 'warn' : 'fail';
  const way = skew > 0 ? 'behind' : 'ahead of';
  const says = `this machine's clock is ${Math.abs(skew).toFixed(0)} s ${way} the database's: tokens and URLs expire at the wrong time`;
  return finding(`${name} clock`, state, says, 'synchronise the clocks (NTP)');
}

function checkSchema(name: string, facts: DatabaseFacts): readonly Finding[] {
  if (facts.is_migrated && facts.missing_steps.length === 0) {
    return [];
  }
  const says = facts.is_migrated ? `lacks ${facts.missing_steps.join(', ')}` : 'is missing';
  return [finding(`${name} schema`, 'fail', says, 'rowlock migrate')];
}

/** Judges the role that logs in, by what code that runs as it could do. */
function checkRole(name: string, facts: DatabaseFacts): readonly Finding[] {
  if (facts.is_superuser || facts.bypasses_rls || facts.is_owner) {
    const says = `${facts.role} is not bound by row-level security`;
    const right = name === 'api-database' ? 'rowlock_authenticator' : 'rowlock_worker';
    return [finding(`${name} role`, name === 'api-database' ? 'fail' : 'warn', says, `log in as the role ${right}`)];
  }
  return [];
}

/** Judges the roles that callers become, and the tables that they meet. */
function checkCallers(facts: DatabaseFacts): readonly Finding[] {
  const found: Finding[] = [];
  if (facts.tables_without_rls.length > 0) {
    const tables = facts.tables_without_rls.join(', ');
    found.push(finding('row-level security', 'fail', `is off for ${tables}`, 'rowlock migrate'));
  }
  if (facts.roles_missing.length > 0) {
    const roles = facts.roles_missing.join(', ');
    const fix = 'make rowlock_authenticator a member of each, or take them out of ALLOWED_ROLES';
    found.push(finding('application roles', 'fail', `the API cannot become ${roles}`, fix));
  }
  if (facts.roles_unbound.length > 0) {
    const says = `${facts.roles_unbound.join(', ')}: not bound by row-level security`;
    found.push(finding('application roles', 'fail', says, 'take superusers and owners out of ALLOWED_ROLES'));
  }
  return found;
}

function checkQuarantine({ quarantined }: DatabaseFacts): readonly Finding[] {
  if (quarantined === 0) return [];
  const says = `${quarantined} versions are not served: they are in quarantine`;
  return [finding('quarantine', 'warn', says, 'rowlock quarantine list names them; release or purge each')];
}

/** The roles that requests run as. */
function applicationRoles(settings: Settings): readonly string[] {
  const roles = [settings.required('anon-role'), settings.required('default-role'), ...settings.list('allowed-roles')];
  return [...new Set(roles)];
}

/**
 * Looks at the database of an option, `api-database-url` or `worker-database-url`.
 *
 * @throws the driver's error where it cannot be reached, UsageError where no URL is set
 */
async function inspect(settings: Settings, option: string): Promise<readonly Finding[]> {
  const isApi = option === 'api-database-url';
  const name = option.replace('-url', '');
  const facts = await inspectDatabase(settings.required(option), isApi ? applicationRoles(settings) : []);
  const found = [checkVersion(name, facts), checkClock(name, facts), ...checkSchema(name, facts)];
  const ofOne = isApi ? (facts.is_migrated ? checkCallers(facts) : []) : checkQuarantine(facts);
  return [...found, ...checkRole(name, facts), ...ofOne];
}

/** The same for `doctor`, where a database that is away is a finding too. */
export async function checkDatabase(settings: Settings, option: string): Promise<readonly Finding[]> {
  const name = option.replace('-url', '');
  if (settings.text(option) === undefined) {
    const variable = options.find((each) => each.name === option)?.env[0];
    return [finding(name, 'fail', 'no URL is set', `set ${variable}`)];
  }
  try {
    return await inspect(settings, option);
  } catch (error) {
    const says = error instanceof Error ? error.message || error.name : String(error);
    return [finding(name, 'fail', says, 'check host, port, name and password of the URL')];
  }
}

/** What `serve` must know of the API's database. @throws the driver's error where it cannot be reached */
export function checkApiDatabase(settings: Settings): Promise<readonly Finding[]> {
  return inspect(settings, 'api-database-url');
}
