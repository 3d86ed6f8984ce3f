/**
 * Syntax trees of the repository's code, parsed by TypeScript's own parser. TypeScript 7 offers it under
 * `typescript/unstable`, and the version is pinned; no other module of the suite may import from there, so that a new
 * version is met in one place. Types are never asked for: a file is parsed alone, from memory.
 */

import type { Node, SourceFile as SyntaxRoot } from 'typescript/unstable/ast';
import * as ast from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';
import { isCode } from './places.ts';
import { lineAt, type SourceFile } from './tree.ts';

export type { Node } from 'typescript/unstable/ast';
export { ast };

/** A parsed file. */
export interface Syntax {
  readonly path: string;
  readonly text: string;
  readonly root: SyntaxRoot;
}

const parsed = new WeakMap<SourceFile, Syntax>();

/** Parses the code among some files; a file that was parsed before is not parsed again. */
export function syntaxOf(files: readonly SourceFile[]): Syntax[] {
  const code = files.filter((file) => isCode(file.path));
  parseAll(code.filter((file) => !parsed.has(file)));
  return code.map((file) => parsed.get(file)).filter((syntax) => syntax !== undefined);
}

/** Visits a node and everything below it, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild((child) => {
    walk(child, visit);
  });
}

/** The line, counted from 1, on which a node begins, its leading comments not counted. */
export function lineOf(syntax: Syntax, node: Node): number {
  return lineAt(syntax.text, node.getStart(syntax.root));
}

/** The text with the content of every string, template and regular expression blanked; offsets stay as they are. */
export function withoutLiterals(syntax: Syntax): string {
  const pieces: string[] = [];
  let from = 0;
  walk(syntax.root, (node) => {
    const isText = ast.isLiteralToken(node) || ast.isTemplateLiteralToken(node) || node.kind === ast.SyntaxKind.JsxText;
    if (!isText || node.end <= from) return;
    const start = node.getStart(syntax.root);
    pieces.push(syntax.text.slice(from, start), syntax.text.slice(start, node.end).replace(/[^\n]/g, ' '));
    from = node.end;
  });
  return pieces.join('') + syntax.text.slice(from);
}

function parseAll(files: readonly SourceFile[]): void {
  if (files.length === 0) return;
  const names = files.map((file, index) => `/tree/${index}${/\.\w+$/.exec(file.path)?.[0] ?? '.ts'}`);
  const config = {
    compilerOptions: { noLib: true, noResolve: true, types: [], allowJs: true, jsx: 'preserve' },
    files: names,
  };
  const sources = Object.fromEntries(files.map((file, index) => [names[index], file.text]));
  const fs = createVirtualFileSystem({ ...sources, '/tree/tsconfig.json': JSON.stringify(config) });
  const api = new API({ cwd: '/tree', fs });
  try {
    const program = api.updateSnapshot({ openProjects: ['/tree/tsconfig.json'] }).getProjects()[0]?.program;
    for (const [index, file] of files.entries()) {
      const root = program?.getSourceFile(names[index] ?? '');
      if (root === undefined) throw new Error(`TypeScript did not parse ${file.path}`);
      parsed.set(file, { path: file.path, text: file.text, root });
    }
  } finally {
    api.close();
  }
}
