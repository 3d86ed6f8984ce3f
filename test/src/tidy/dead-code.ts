/**
 * What nobody uses: modules that nothing imports and exports that no other file names. A package's index is its public
 * surface, so what it re-exports is in use. The tables of exemptions are the only way around; each entry says why, and
 * an entry that is no longer needed is reported as well.
 */
import { posix } from 'node:path';
import { type Export, exportsOf, importsOf, resolveSpecifier } from './modules.ts';
import { isForeign, isPackageModule, isPublicIndex, packageOf } from './places.ts';
import { ast, type Syntax, syntaxOf, walk } from './syntax.ts';
import type { SourceFile, Violation } from './tree.ts';

/** Path of a module, or path#name of an export, to the reason why it may stand unused. */
export type Exemptions = Readonly<Record<string, string>>;

/** Modules that may stand without an importer. */
export const modulesExempt: Exemptions = {};

/** Exports that may stand without a user, as `packages/…/file.ts#name`. */
export const exportsExempt: Exemptions = {};

/** Reports modules of packages that are no entry and that no file imports. */
export function deadModules(files: readonly SourceFile[], exempt: Exemptions = modulesExempt): Violation[] {
  const used = usesIn(files);
  const dead = files
    .map(({ path }) => path)
    .filter((path) => isPackageModule(path) && !isEntry(path, files) && !used.has(path));
  const reported = dead.filter((path) => !(path in exempt));
  return [
    ...reported.map((path) => report(path, 1, 'dead-module', 'nothing imports this module; use it or remove it')),
    ...staleExemptions(exempt, new Set(dead)),
  ];
}

/** Reports exports of package modules that no other file names; a type may also serve its own module. */
export function deadExports(files: readonly SourceFile[], exempt: Exemptions = exportsExempt): Violation[] {
  const used = usesIn(files);
  const modules = files.filter(({ path }) => isPackageModule(path) && !isPublicIndex(path) && !isEntry(path, files));
  const dead = syntaxOf(modules).flatMap((syntax) =>
    exportsOf(syntax)
      .filter((exported) => !isUsed(syntax, exported, used.get(syntax.path)))
      .map(({ name, line }) => ({ id: `${syntax.path}#${name}`, path: syntax.path, name, line })),
  );
  const reported = dead.filter(({ id }) => !(id in exempt));
  return [
    ...reported.map(({ path, name, line }) =>
      report(path, line, 'dead-export', `no other file uses '${name}'; remove it, or the word export`),
    ),
    ...staleExemptions(exempt, new Set(dead.map(({ id }) => id))),
  ];
}

/** For each path that is imported, the names that are taken from it, or `'all'`. */
type Uses = ReadonlyMap<string, ReadonlySet<string> | 'all'>;

function usesIn(files: readonly SourceFile[]): Uses {
  const uses = new Map<string, Set<string> | 'all'>();
  for (const syntax of syntaxOf(files.filter(({ path }) => !isForeign(path)))) {
    for (const { specifier, names } of importsOf(syntax)) {
      const target = resolveSpecifier(syntax.path, specifier);
      if (target !== undefined) addUse(uses, sourceOf(target), names);
    }
  }
  return uses;
}

function addUse(uses: Map<string, Set<string> | 'all'>, path: string, names: readonly string[] | 'all'): void {
  const before = uses.get(path);
  if (names === 'all' || before === 'all') uses.set(path, 'all');
  else uses.set(path, new Set([...(before ?? []), ...names]));
}

/** The module that a path into a dist folder was compiled from. */
function sourceOf(path: string): string {
  return path.replace(/^((?:packages\/[^/]+|test\/harness|test|bench)\/)dist\//, '$1src/').replace(/\.js$/, '.ts');
}

/** An entry is what a package is entered by: its index, its main, or what a manifest, a page or a tool names. */
function isEntry(path: string, files: readonly SourceFile[]): boolean {
  if (isPublicIndex(path) || posix.basename(path) === 'main.ts') return true;
  const folder = `packages/${packageOf(path)}/`;
  const inPackage = path.slice(folder.length);
  const built = inPackage.replace(/^src\//, 'dist/').replace(/\.tsx?$/, '.js');
  return files.some((file) => {
    if (file.path.startsWith('tools/')) return file.text.includes(path) || file.text.includes(folder + built);
    const isManifest = file.path.startsWith(folder) && /\.(json|html)$/.test(file.path);
    return isManifest && [inPackage, built].some((name) => file.text.includes(`${name}"`));
  });
}

function isUsed(syntax: Syntax, exported: Export, uses: ReadonlySet<string> | 'all' | undefined): boolean {
  if (uses === 'all' || uses?.has(exported.name)) return true;
  return exported.isType && countOf(syntax, exported.name) > 1;
}

function countOf(syntax: Syntax, name: string): number {
  let count = 0;
  walk(syntax.root, (node) => {
    if (ast.isIdentifier(node) && node.text === name) count += 1;
  });
  return count;
}

function staleExemptions(exempt: Exemptions, dead: ReadonlySet<string>): Violation[] {
  const stale = Object.keys(exempt).filter((id) => !dead.has(id));
  const message = 'this exemption is no longer needed; remove it from test/src/tidy/dead-code.ts';
  return stale.map((id) => report(id.split('#')[0] ?? id, 1, 'stale-exemption', message));
}

function report(path: string, line: number, rule: string, message: string): Violation {
  return { path, line, rule, message };
}
