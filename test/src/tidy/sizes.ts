/**
 * The sizes that STYLE.md guards: lines of a file, lines of a function, positional parameters, depth of nesting. A
 * function is measured with everything inside of it, so that a long closure does not hide in short ones; a callback of
 * `describe` is a heading and not a function.
 */
import { isCode, isForeign, isGenerated } from './places.ts';
import { ast, lineOf, type Node, type Syntax, syntaxOf, walk } from './syntax.ts';
import { lineAt, type SourceFile, type Violation } from './tree.ts';

const fileLinesMax = 400;
const functionLinesMax = 70;
const parametersMax = 4;
const nestingMax = 3;

/** Reports source files with too many lines. */
export function fileSizes(files: readonly SourceFile[]): Violation[] {
  const sources = files.filter(
    ({ path }) => (isCode(path) || path.endsWith('.sql')) && !isGenerated(path) && !isForeign(path),
  );
  return sources.flatMap(({ path, text }) => {
    const lines = lineAt(text, text.length) - (text.endsWith('\n') ? 1 : 0);
    if (lines <= fileLinesMax) return [];
    const message = `${lines} lines, at most ${fileLinesMax}; find the second noun in it and give it a file`;
    return [{ path, line: fileLinesMax, rule: 'file-size', message }];
  });
}

/** Reports functions with too many lines. */
export function functionSizes(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'function-size', (syntax, node) => {
    if (!isFunction(node) || isHeading(node)) return undefined;
    const lines = lineAt(syntax.text, node.end) - lineOf(syntax, node) + 1;
    if (lines <= functionLinesMax) return undefined;
    return `${lines} lines in one function, at most ${functionLinesMax}; name its steps`;
  });
}

/** Reports functions and signatures with too many positional parameters. */
export function parameterCounts(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'parameters', (_syntax, node) => {
    const parameters = parametersOf(node);
    if (parameters.length <= parametersMax) return undefined;
    return `${parameters.length} positional parameters, at most ${parametersMax}; take one object`;
  });
}

/**
 * Reports statements that lie too deep. Depth counts the `if`, loops, `switch` and `try` between a statement and the
 * function that holds it; `else if`, `case`, `catch` and `finally` continue a statement and add nothing.
 */
export function nestingDepths(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'nesting', (_syntax, node) => {
    if (!isNesting(node) || depthOf(node) !== nestingMax + 1) return undefined;
    return `nested more than ${nestingMax} deep; return early or name the inner part`;
  });
}

type Judge = (syntax: Syntax, node: Node) => string | undefined;

function perNode(files: readonly SourceFile[], rule: string, judge: Judge): Violation[] {
  const found: Violation[] = [];
  for (const syntax of syntaxOf(files.filter(({ path }) => !isForeign(path)))) {
    walk(syntax.root, (node) => {
      const message = judge(syntax, node);
      if (message !== undefined) found.push({ path: syntax.path, line: lineOf(syntax, node), rule, message });
    });
  }
  return found;
}

function isFunction(node: Node): boolean {
  return ast.isFunctionLikeDeclaration(node);
}

function isHeading(node: Node): boolean {
  const call = node.parent;
  return ast.isCallExpression(call) && ['describe', 'suite'].includes(call.expression.getText().split('.')[0] ?? '');
}

function parametersOf(node: Node): readonly Node[] {
  const isSignature =
    ast.isMethodSignatureDeclaration(node) || ast.isFunctionTypeNode(node) || ast.isCallSignatureDeclaration(node);
  if (!isFunction(node) && !isSignature) return [];
  const parameters: Node[] = [];
  node.forEachChild((child) => {
    if (ast.isParameterDeclaration(child) && child.name?.getText() !== 'this') parameters.push(child);
  });
  return parameters;
}

function isNesting(node: Node): boolean {
  if (ast.isIfStatement(node)) return !isElseIf(node);
  return (
    ast.isForStatement(node) ||
    ast.isForInStatement(node) ||
    ast.isForOfStatement(node) ||
    ast.isWhileStatement(node) ||
    ast.isDoStatement(node) ||
    ast.isSwitchStatement(node) ||
    ast.isTryStatement(node)
  );
}

function isElseIf(node: Node): boolean {
  return ast.isIfStatement(node.parent) && node.parent.elseStatement === node;
}

function depthOf(node: Node): number {
  let depth = 0;
  for (let at: Node | undefined = node; at !== undefined && !isFunction(at); at = at.parent) {
    if (isNesting(at)) depth += 1;
  }
  return depth;
}
