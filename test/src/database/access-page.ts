/**
 * The tables of docs/reference/access.md, made from the catalog of a migrated database. Prose and the last column of a
 * table are written by people and kept: a row is known by its first cell. It judges nothing; the test compares.
 */
import type pg from 'pg';

/** One table of the page. `words` says that its last column is for people to write. */
export interface PageSection {
  readonly name: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly words: boolean;
  /** Lines below the table. */
  readonly notes: readonly string[];
}

interface TableRow {
  readonly name: string;
  readonly kind: 'table' | 'view';
  readonly row_security: boolean;
}

interface GrantRow {
  readonly relation: string;
  readonly role: string;
  readonly privilege: string;
  readonly columns: readonly string[] | null;
}

interface PolicyRow {
  readonly relation: string;
  readonly name: string;
  readonly command: string;
  readonly roles: readonly string[];
}

interface FunctionRow {
  readonly schema: string;
  readonly name: string;
  readonly mode: string;
  readonly is_trigger: boolean;
  readonly callers: readonly string[];
}

const commands = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;
const order = ['anon', 'authenticated', 'service_role', 'rowlock_authenticator', 'rowlock_worker', 'PUBLIC'];
const applicationRoles = ['anon', 'authenticated', 'service_role'];
const marker = /<!-- catalog: (?<name>[^>]+?) -->\n(?<content>[\s\S]*?)<!-- end -->/g;

const tablesQuery = `SELECT c.oid::regclass::text AS name, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind,
    c.relrowsecurity AS row_security
  FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'v') AND pg_get_userbyid(c.relowner) = 'rowlock_owner'
  ORDER BY c.relkind = 'v', c.relnamespace::regnamespace::text DESC, c.relname`;

const grantsQuery = `SELECT c.oid::regclass::text AS relation, x.grantee::regrole::text AS role, x.privilege_type AS privilege, NULL::text[] AS columns
    FROM pg_class AS c, aclexplode(c.relacl) AS x
    WHERE c.relkind IN ('r', 'p', 'v') AND pg_get_userbyid(c.relowner) = 'rowlock_owner' AND x.grantee <> c.relowner
  UNION ALL
  SELECT c.oid::regclass::text, x.grantee::regrole::text, x.privilege_type, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS x
    WHERE pg_get_userbyid(c.relowner) = 'rowlock_owner' AND x.grantee <> c.relowner
    GROUP BY 1, 2, 3`;

const policiesQuery = `SELECT polrelid::regclass::text AS relation, polname::text AS name,
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
    (SELECT array_agg(r::regrole::text) FROM unnest(polroles) AS r) AS roles
  FROM pg_policy JOIN pg_class AS c ON c.oid = polrelid AND pg_get_userbyid(c.relowner) = 'rowlock_owner' ORDER BY polname`;

const functionsQuery = `SELECT p.pronamespace::regnamespace::text AS schema,
    CASE WHEN count(*) OVER (PARTITION BY p.pronamespace, p.proname) = 1 THEN p.pronamespace::regnamespace || '.' || p.proname
      ELSE p.oid::regprocedure::text END AS name,
    CASE WHEN p.prosecdef THEN pg_get_userbyid(p.proowner) ELSE 'caller' END AS mode, p.prorettype = 'trigger'::regtype AS is_trigger,
    coalesce((SELECT array_agg(coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'))
      FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS x WHERE x.grantee <> p.proowner), '{}') AS callers
  FROM pg_proc AS p WHERE pg_get_userbyid(p.proowner) = 'rowlock_owner' ORDER BY p.pronamespace::regnamespace::text, p.proname,
    p.oid::regprocedure::text COLLATE "C"`;

// Roles are the whole server's: those that another test made for itself are not the page's.
const rolesQuery = `SELECT r.rolname::text AS name, r.rolcanlogin AS logs_in,
    coalesce((SELECT array_agg(m.roleid::regrole::text) FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
      WHERE m.member = r.oid AND (g.rolname = ANY ($1) OR g.rolname ^@ 'pg_')), '{}') AS member_of
  FROM pg_roles AS r WHERE r.rolname = ANY ($1) ORDER BY array_position($1, r.rolname::text)`;

const schemasQuery = `SELECT n.nspname::text AS name, array_agg(DISTINCT x.grantee::regrole::text) AS users
  FROM pg_namespace AS n, aclexplode(n.nspacl) AS x
  WHERE n.nspname IN ('storage', 'storage_internal', 'metadata') AND x.privilege_type = 'USAGE' AND x.grantee <> n.nspowner
  GROUP BY n.nspname ORDER BY n.nspname`;

const code = (name: string): string => `\`${name}\``;
const sorted = (roles: readonly string[]): readonly string[] =>
  [...roles].sort((one, other) => order.indexOf(one) - order.indexOf(other) || one.localeCompare(other));
const codes = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.map(code).join(', '));

/** Reads the catalog and makes every table of the page. */
export async function pageSections(client: pg.ClientBase): Promise<readonly PageSection[]> {
  await client.query("SELECT set_config('search_path', 'pg_catalog', false)");
  const rows = async <Row extends pg.QueryResultRow>(query: string, values: unknown[] = []): Promise<Row[]> =>
    (await client.query<Row>(query, values)).rows;
  const grants = await rows<GrantRow & pg.QueryResultRow>(grantsQuery);
  const policies = await rows<PolicyRow & pg.QueryResultRow>(policiesQuery);
  const tables = await rows<TableRow & pg.QueryResultRow>(tablesQuery);
  const functions = await rows<FunctionRow & pg.QueryResultRow>(functionsQuery);
  return [
    await rolesSection(rows),
    await schemasSection(rows),
    ...tables.flatMap((table) => [
      rightsSection(table, grants, policies),
      ...(policies.some(({ relation }) => relation === table.name) ? [policiesSection(table, policies)] : []),
    ]),
    ...functionSections(functions),
  ];
}

type Rows = <Row extends pg.QueryResultRow>(query: string, values?: unknown[]) => Promise<Row[]>;

async function rolesSection(rows: Rows): Promise<PageSection> {
  const names = ['rowlock_owner', ...order.filter((name) => name !== 'PUBLIC')];
  const roles = await rows<{ name: string; logs_in: boolean; member_of: string[] }>(rolesQuery, [names]);
  return {
    name: 'roles',
    head: ['role', 'logs in', 'may become', 'what it is'],
    rows: roles.map(({ name, logs_in, member_of }) => [code(name), logs_in ? 'yes' : 'no', codes(sorted(member_of))]),
    words: true,
    notes: [],
  };
}

async function schemasSection(rows: Rows): Promise<PageSection> {
  const schemas = await rows<{ name: string; users: string[] }>(schemasQuery);
  return {
    name: 'schemas',
    head: ['schema', 'who may name what is in it', 'what it holds'],
    rows: schemas.map(({ name, users }) => [code(name), codes(sorted(users))]),
    words: true,
    notes: [],
  };
}

function rightsSection(table: TableRow, grants: readonly GrantRow[], policies: readonly PolicyRow[]): PageSection {
  const own = grants.filter(({ relation }) => relation === table.name);
  const roles = sorted([...new Set(own.map(({ role }) => role))]);
  const cell = (role: string, command: string): string => {
    if (!own.some((grant) => grant.role === role && grant.privilege === command)) return '–';
    if (table.kind === 'view') return 'as the table says';
    if (!table.row_security) return 'every row';
    const judges = policies.filter(
      (policy) =>
        policy.relation === table.name && [command, 'ALL'].includes(policy.command) && policy.roles.includes(role),
    );
    return judges.length === 0 ? 'no row' : codes(judges.map(({ name }) => name));
  };
  return {
    name: table.name,
    head: ['role', ...commands],
    rows:
      roles.length === 0
        ? [['nobody', ...commands.map(() => '–')]]
        : roles.map((role) => [code(role), ...commands.map((command) => cell(role, command))]),
    words: false,
    notes: columnNotes(own),
  };
}

/** Which columns a command may name, where that is not all of them: one line for each different list. */
function columnNotes(grants: readonly GrantRow[]): readonly string[] {
  const lists = new Map<string, Set<string>>();
  for (const { role, privilege, columns } of grants) {
    if (columns !== null) {
      const roles = lists.get(`${privilege} names only ${codes(columns)}`) ?? new Set<string>();
      lists.set(`${privilege} names only ${codes(columns)}`, roles.add(role));
    }
  }
  return [...lists].map(([text, roles]) => `- ${text}: ${codes(sorted([...roles]))}`).sort();
}

function policiesSection(table: TableRow, policies: readonly PolicyRow[]): PageSection {
  return {
    name: `policies of ${table.name}`,
    head: ['policy', 'command', 'roles', 'which rows'],
    rows: policies
      .filter(({ relation }) => relation === table.name)
      .map(({ name, command, roles }) => [code(name), command, codes(sorted(roles))]),
    words: true,
    notes: [],
  };
}

function functionSections(functions: readonly FunctionRow[]): readonly PageSection[] {
  const head = ['function', 'runs as', 'who may execute it'];
  const row = ({ name, mode, callers }: FunctionRow): readonly string[] => [
    code(name),
    mode === 'caller' ? 'caller' : code(mode),
    codes(sorted(callers)),
  ];
  const isForApplications = ({ callers }: FunctionRow): boolean =>
    callers.some((role) => applicationRoles.includes(role) || role === 'PUBLIC');
  const section = (name: string, chosen: readonly FunctionRow[], words: boolean): PageSection => ({
    name,
    head: words ? [...head, 'what it does'] : head,
    rows: chosen.map(row),
    words,
    notes: [],
  });
  return [
    section('functions of application roles', functions.filter(isForApplications), true),
    section(
      'functions of login roles',
      functions.filter((each) => !isForApplications(each) && each.callers.length > 0),
      false,
    ),
    section(
      'functions of nobody',
      functions.filter(({ callers }) => callers.length === 0),
      true,
    ),
  ];
}

/** The page with its tables made anew; what people wrote in last columns is kept. */
export function fillPage(page: string, sections: readonly PageSection[]): string {
  return page.replace(marker, (whole, name: string, content: string) => {
    const section = sections.find((each) => each.name === name);
    return section === undefined ? whole : `<!-- catalog: ${name} -->\n${printSection(section, content)}<!-- end -->`;
  });
}

/** The names of the tables that a page has room for, in its order. */
export function sectionNames(page: string): readonly string[] {
  return [...page.matchAll(marker)].map(({ groups }) => groups?.['name'] ?? '');
}

function printSection({ head, rows, words, notes }: PageSection, before: string): string {
  const kept = wordsOf(before, head.length);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line(words ? [...row, kept.get(row[0] ?? '') ?? '?'] : row)),
  ];
  const below = notes.length === 0 ? [] : ['', ...notes];
  return `\n${[...table, ...below].join('\n')}\n\n`;
}

/** The last cells of a table by their first ones. */
function wordsOf(content: string, width: number): ReadonlyMap<string, string> {
  const cells = content
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '));
  return new Map(cells.filter(({ length }) => length === width).map((row) => [row[0] ?? '', row.at(-1) ?? '']));
}
