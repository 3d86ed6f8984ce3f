/**
 * How files and exports are called: no drawer names, kebab-case, named exports. `index.ts` is only the public surface
 * of a package, since a folder's contents should be found by their own names.
 */
import { posix } from 'node:path';
import { hasModifier } from './modules.ts';
import { isCode, isForeign, isPublicIndex } from './places.ts';
import { ast, lineOf, type Node, syntaxOf } from './syntax.ts';
import type { SourceFile, Violation } from './tree.ts';

const bannedNames = new Set(['utils', 'util', 'common', 'shared', 'helpers', 'helper', 'types', 'misc']);
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Files whose tool reads a default export and nothing else: configurations, and a reporter of node:test. */
const defaultExportsNeeded = /(^|\/)[a-z-]+\.config\.(ts|js|mjs)$|^tools\/suite\/controls\/test-events\.mjs$/;

/** Reports files and folders whose name says nothing of what is inside. */
export function bannedFileNames(files: readonly SourceFile[]): Violation[] {
  return ours(files).flatMap(({ path }) => {
    const banned = path.split('/').find((part) => bannedNames.has(part.split('.')[0] ?? ''));
    if (banned !== undefined) {
      return [report(path, 1, 'banned-name', `'${banned}' says nothing of what is inside; name it after that`)];
    }
    if (!/^index\.(ts|tsx|mjs|js)$/.test(posix.basename(path)) || isPublicIndex(path)) return [];
    return [report(path, 1, 'banned-name', 'index is the public surface of a package only; name it after its export')];
  });
}

/** Reports code and document files that are not kebab-case. */
export function fileNameCase(files: readonly SourceFile[]): Violation[] {
  return ours(files).flatMap(({ path }) => {
    const name = posix.basename(path);
    const isChecked =
      isCode(path) || /\.(css|html)$/.test(path) || (/^docs\/.*\.md$/.test(path) && name !== 'README.md');
    if (!isChecked || kebabCase.test(name)) return [];
    return [report(path, 1, 'file-name-case', `'${name}' is not kebab-case`)];
  });
}

/** Reports default exports. */
export function defaultExports(files: readonly SourceFile[]): Violation[] {
  const checked = ours(files).filter(({ path }) => !defaultExportsNeeded.test(path));
  return syntaxOf(checked).flatMap((syntax) =>
    syntax.root.statements.filter(isDefaultExport).map((statement) => {
      const message = 'a default export has no name to search for; export it by name';
      return report(syntax.path, lineOf(syntax, statement), 'default-export', message);
    }),
  );
}

function ours(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => !isForeign(path));
}

function report(path: string, line: number, rule: string, message: string): Violation {
  return { path, line, rule, message };
}

function isDefaultExport(statement: Node): boolean {
  if (ast.isExportAssignment(statement)) return true;
  if (ast.isExportDeclaration(statement)) {
    const clause = statement.exportClause;
    return (
      clause !== undefined &&
      ast.isNamedExports(clause) &&
      clause.elements.some((element) => element.name.text === 'default')
    );
  }
  return hasModifier(statement, ast.SyntaxKind.DefaultKeyword);
}
