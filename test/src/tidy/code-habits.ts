/**
 * Habits of code that hide a problem from the reader: swallowed errors, casts to any, silenced compilers, notes for
 * later, stray prints, and reads of the environment outside the command line. What Biome already reports is left to it.
 */
import { isCode, isForeign, isTest, packageOf } from './places.ts';
import { ast, lineOf, type Node, syntaxOf, walk, withoutLiterals } from './syntax.ts';
import { lineAt, type SourceFile, type Violation } from './tree.ts';

const laterWords = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'];
const silencers = ['ts-ignore', 'ts-nocheck'].map((word) => `@${word}`);

/** Reports empty catch clauses and rejections that are handled by an empty function. */
export function emptyCatches(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'empty-catch', (node) => {
    const isEmpty = ast.isCatchClause(node) ? node.block.statements.length === 0 : isEmptyHandler(node);
    return isEmpty ? 'an error is swallowed; handle it, let it rise, or name why it may be ignored' : undefined;
  });
}

/** Reports casts to any, in both spellings. */
export function anyCasts(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'any-cast', (node) => {
    const isCast = ast.isAsExpression(node) || ast.isTypeAssertion(node);
    if (!isCast || node.type.kind !== ast.SyntaxKind.AnyKeyword) return undefined;
    return 'a cast to any turns checking off; narrow the value instead';
  });
}

/** Reports notes for later and comments that silence the compiler; texts in quotes are not comments. */
export function leftOvers(files: readonly SourceFile[]): Violation[] {
  const words = new RegExp(`\\b(${laterWords.join('|')})\\b`, 'g');
  const silenced = new RegExp(silencers.join('|'), 'g');
  const code = syntaxOf(ours(files)).map((syntax) => ({ path: syntax.path, text: withoutLiterals(syntax) }));
  const others = ours(files).filter(({ path }) => /\.(sql|sh|ya?ml|css)$/.test(path));
  return [...code, ...others].flatMap(({ path, text }) => [
    ...matches(path, text, words, 'a note for later; do it now or write it where plans are kept'),
    ...matches(path, text, silenced, 'a silenced compiler; give it the type that it misses'),
  ]);
}

/** Reports prints to the console outside the command line, tools, benchmarks and tests. */
export function strayPrints(files: readonly SourceFile[]): Violation[] {
  const checked = files.filter(({ path }) => packageOf(path) !== undefined && !mayUseProcess(path));
  return perNode(checked, 'stray-print', (node) => {
    const isPrint = ast.isPropertyAccessExpression(node) && node.expression.getText() === 'console';
    return isPrint ? 'a print that no operator asked for; report it through the union of observations' : undefined;
  });
}

/** Reports reads of the environment outside the command line, tools, benchmarks and tests. */
export function environmentReads(files: readonly SourceFile[]): Violation[] {
  const checked = files.filter(({ path }) => !mayUseProcess(path));
  return perNode(checked, 'environment-read', (node) => {
    if (!readsEnvironment(node)) return undefined;
    return 'only the command line reads the environment; take the value as an argument';
  });
}

function perNode(files: readonly SourceFile[], rule: string, judge: (node: Node) => string | undefined): Violation[] {
  const found: Violation[] = [];
  for (const syntax of syntaxOf(ours(files))) {
    walk(syntax.root, (node) => {
      const message = judge(node);
      if (message !== undefined) found.push({ path: syntax.path, line: lineOf(syntax, node), rule, message });
    });
  }
  return found;
}

function ours(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => !isForeign(path));
}

function mayUseProcess(path: string): boolean {
  return isTest(path) || packageOf(path) === 'cli' || /^(tools|test|bench)\//.test(path) || !isCode(path);
}

function matches(path: string, text: string, pattern: RegExp, message: string): Violation[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    rule: 'left-over',
    message,
  }));
}

function isEmptyHandler(node: Node): boolean {
  if (!ast.isCallExpression(node) || !ast.isPropertyAccessExpression(node.expression)) return false;
  const handler = node.arguments[0];
  if (node.expression.name.text !== 'catch' || handler === undefined) return false;
  if (!ast.isArrowFunction(handler) && !ast.isFunctionExpression(handler)) return false;
  return ast.isBlock(handler.body) && handler.body.statements.length === 0;
}

function readsEnvironment(node: Node): boolean {
  if (ast.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ast.isElementAccessExpression(node)) {
    return isProcess(node.expression) && /^['"]env['"]$/.test(node.argumentExpression.getText());
  }
  if (ast.isImportSpecifier(node)) {
    const declaration = node.parent.parent.parent;
    const specifier = ast.isImportDeclaration(declaration) ? declaration.moduleSpecifier.getText() : '';
    return /^['"](node:)?process['"]$/.test(specifier) && (node.propertyName ?? node.name).text === 'env';
  }
  if (!ast.isVariableDeclaration(node) || node.initializer === undefined) return false;
  return isProcess(node.initializer) && /[{,]\s*env\b/.test(node.name.getText());
}

function isProcess(node: Node): boolean {
  return /^(globalThis\.)?process$/.test(node.getText());
}
