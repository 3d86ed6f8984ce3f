/**
 * Who may import whom: between packages and, inside the server, between folders. The two tables are DESIGN.md
 * section 3 and nothing else; whoever needs a direction that is missing argues for it there first.
 */
import { posix } from 'node:path';
import { importsOf, packageName, resolveSpecifier } from './modules.ts';
import { isTest, packageOf } from './places.ts';
import { type Syntax, syntaxOf } from './syntax.ts';
import type { SourceFile, Violation } from './tree.ts';

/** For each package, the specifiers of ours that it may import. */
export const packageImports: Readonly<Record<string, readonly string[]>> = {
  queue: [],
  client: [],
  server: ['@rowlock/queue', '@rowlock/client/contract'],
  elements: ['@rowlock/client', '@rowlock/client/contract'],
  console: ['@rowlock/client', '@rowlock/client/contract', '@rowlock/elements', '@rowlock/elements/page'],
  cli: ['@rowlock/server', '@rowlock/queue', '@rowlock/client', '@rowlock/client/contract', '@rowlock/console'],
};

/** For each folder of packages/server/src, the folders that it may import beside itself. */
export const serverFolderImports: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  auth: ['domain'],
  metadata: ['domain'],
  backend: ['domain'],
  imaging: ['domain'],
  scanning: ['domain'],
  operations: ['domain', 'auth', 'metadata', 'backend'],
  jobs: ['domain', 'metadata', 'backend', 'imaging', 'scanning', 'operations'],
  changes: ['domain', 'metadata'],
  http: ['domain', 'auth', 'operations', 'changes'],
};

/** The modules that stand beside those folders: they may import every folder, and no folder may import them. */
export const serverRoots: ReadonlySet<string> = new Set([
  'config.ts',
  'index.ts',
  'log.ts',
  'metrics.ts',
  'on-demand.ts',
  'open-backends.ts',
  'open-renders.ts',
  'server.ts',
  'version.ts',
  'worker.ts',
]);

const harness = '@rowlock/test-harness';
const serverSource = 'packages/server/src/';

/** Reports imports between packages in a direction that DESIGN.md section 3 does not have. */
export function packageDirections(files: readonly SourceFile[]): Violation[] {
  return syntaxOf(files).flatMap((syntax) => {
    const folder = packageOf(syntax.path);
    if (folder === undefined) return [];
    return importsOf(syntax).flatMap(({ specifier, line }) => {
      const message = packageImportProblem(syntax, folder, specifier);
      return message === undefined ? [] : [{ path: syntax.path, line, rule: 'import-directions', message }];
    });
  });
}

/** Reports imports inside packages/server/src in a direction that DESIGN.md section 3 does not have. */
export function serverDirections(files: readonly SourceFile[]): Violation[] {
  return syntaxOf(files).flatMap((syntax) => {
    if (!syntax.path.startsWith(serverSource) || isTest(syntax.path)) return [];
    const room = roomOf(syntax.path);
    const report = (line: number, message: string): Violation[] => [
      { path: syntax.path, line, rule: 'server-directions', message },
    ];
    if (serverRoots.has(room)) return [];
    const allowed = serverFolderImports[room];
    if (allowed === undefined) {
      return report(1, `'${room}' is not a room of DESIGN.md section 3; move the module into one that is`);
    }
    return importsOf(syntax).flatMap(({ specifier, line }) => {
      const target = resolveSpecifier(syntax.path, specifier);
      if (target === undefined || !target.startsWith(serverSource)) return [];
      const other = roomOf(target);
      if (other === room || allowed.includes(other)) return [];
      return report(line, `${room} may import ${listed(allowed)}, not ${other}; move the code or pass the value in`);
    });
  });
}

/** Reports packages of others that a module imports and its nearest package.json does not declare. */
export function undeclaredDependencies(files: readonly SourceFile[]): Violation[] {
  const declared = declaredDependencies(files);
  return syntaxOf(files).flatMap((syntax) =>
    importsOf(syntax).flatMap(({ specifier, line }) => {
      const name = packageName(specifier);
      if (!isPackageName(specifier) || isDeclared(syntax.path, name, declared)) return [];
      const message = `'${name}' is not declared in the package.json of this package; add it there or do without`;
      return [{ path: syntax.path, line, rule: 'undeclared-dependencies', message }];
    }),
  );
}

function packageImportProblem(syntax: Syntax, folder: string, specifier: string): string | undefined {
  const target = resolveSpecifier(syntax.path, specifier);
  if (target !== undefined) {
    const isInside = target.startsWith(`packages/${folder}/`);
    return isInside ? undefined : `'${specifier}' leaves the package; import the other package by its name`;
  }
  const name = packageName(specifier);
  if (name !== 'rowlock' && !name.startsWith('@rowlock/')) return undefined;
  const allowed = [...(packageImports[folder] ?? []), ...(isTest(syntax.path) ? [harness] : [])];
  if (allowed.includes(specifier)) return undefined;
  return `packages/${folder} may import ${listed(allowed)} of ours, not '${specifier}'`;
}

/** The folder below packages/server/src that holds a module, or the module's own name where it stands beside them. */
function roomOf(path: string): string {
  return path.slice(serverSource.length).split('/')[0] ?? '';
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}

function isPackageName(specifier: string): boolean {
  return /^(@[\w.-]+\/)?[\w.-]/.test(specifier) && !specifier.startsWith('.') && !specifier.startsWith('node:');
}

interface Manifest {
  readonly own: ReadonlySet<string>;
  readonly forTests: ReadonlySet<string>;
}

function declaredDependencies(files: readonly SourceFile[]): ReadonlyMap<string, Manifest> {
  const manifests = files.filter((file) => posix.basename(file.path) === 'package.json');
  return new Map(manifests.map((file) => [posix.dirname(file.path), manifestOf(file)]));
}

function manifestOf(file: SourceFile): Manifest {
  const json = JSON.parse(file.text) as Record<string, unknown>;
  const namesIn = (field: string): string[] => Object.keys((json[field] as object | undefined) ?? {});
  const name = typeof json['name'] === 'string' ? [json['name']] : [];
  const own = [...name, ...namesIn('dependencies'), ...namesIn('peerDependencies'), ...namesIn('optionalDependencies')];
  return { own: new Set(own), forTests: new Set(namesIn('devDependencies')) };
}

/**
 * A module of a package needs a dependency that is installed with the package; a test, and whatever is in no package,
 * may use the development dependencies of its package and of the workspace, and every package of ours.
 */
function isDeclared(path: string, name: string, manifests: ReadonlyMap<string, Manifest>): boolean {
  const nearest = nearestManifest(path, manifests);
  if (nearest?.own.has(name)) return true;
  if (packageOf(path) !== undefined && !isTest(path)) return false;
  if (name === 'rowlock' || name.startsWith('@rowlock/')) return true;
  return [nearest, manifests.get('.')].some((manifest) => manifest?.own.has(name) || manifest?.forTests.has(name));
}

function nearestManifest(path: string, manifests: ReadonlyMap<string, Manifest>): Manifest | undefined {
  for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
    const manifest = manifests.get(folder);
    if (manifest !== undefined || folder === '.') return manifest;
  }
}
