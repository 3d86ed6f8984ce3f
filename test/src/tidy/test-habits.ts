/**
 * Habits of tests: none is skipped without a reason, focused or left as a plan, and none waits for bare time. A wait on
 * a condition lives in a function that is called until… or deadline…, where the interval between looks may stand.
 */
import { isForeign, isTest } from './places.ts';
import { ast, lineOf, type Node, type Syntax, syntaxOf, walk } from './syntax.ts';
import type { SourceFile, Violation } from './tree.ts';

const testFunctions = new Set(['test', 'it', 'describe', 'suite', 't']);
const sleepers = new Set(['setTimeout', 'sleep', 'delay', 'wait']);
const sleepMinMs = 100;

/** Reports tests that never run, that run alone, or that are skipped without saying why. */
export function skippedTests(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'skipped-test', (node) => {
    if (!ast.isCallExpression(node)) return undefined;
    const [name, modifier] = node.expression.getText().split('.');
    if (name === undefined || !testFunctions.has(name)) return undefined;
    return modifierProblem(node, name, modifier) ?? optionProblem(node);
  });
}

/** Reports waits for a fixed time of 100 ms and more in tests. */
export function bareSleeps(files: readonly SourceFile[]): Violation[] {
  return perNode(files, 'bare-sleep', (node) => {
    if (!ast.isCallExpression(node)) return undefined;
    const name = node.expression.getText().split('.').at(-1) ?? '';
    const isLong = node.arguments.some((argument) => (numberOf(argument) ?? 0) >= sleepMinMs);
    if (!sleepers.has(name) || !isLong || isInsideWait(node)) return undefined;
    return 'a wait for bare time; wait for a signal or a condition with a deadline';
  });
}

type Judge = (node: Node, syntax: Syntax) => string | undefined;

function perNode(files: readonly SourceFile[], rule: string, judge: Judge): Violation[] {
  const tests = files.filter(({ path }) => isTest(path) && !isForeign(path));
  const found: Violation[] = [];
  for (const syntax of syntaxOf(tests)) {
    walk(syntax.root, (node) => {
      const message = judge(node, syntax);
      if (message !== undefined) found.push({ path: syntax.path, line: lineOf(syntax, node), rule, message });
    });
  }
  return found;
}

function modifierProblem(node: ast.CallExpression, name: string, modifier: string | undefined): string | undefined {
  if (modifier === 'only') return 'a focused test hides the others; remove .only';
  if (modifier === 'todo') return 'a planned test proves nothing; write it or remove it';
  if (modifier !== 'skip') return undefined;
  const isReasoned = name === 't' && node.arguments.length > 0;
  return isReasoned ? undefined : "skipped without a reason; say { skip: requires('…') } or { skip: 'why' }";
}

function optionProblem(node: ast.CallExpression): string | undefined {
  const options = node.arguments.find((argument) => ast.isObjectLiteralExpression(argument));
  if (options === undefined || !ast.isObjectLiteralExpression(options)) return undefined;
  for (const property of options.properties) {
    if (!ast.isPropertyAssignment(property)) continue;
    const name = property.name.getText();
    const isFalse = property.initializer.kind === ast.SyntaxKind.FalseKeyword;
    if (name === 'only' && !isFalse) return 'a focused test hides the others; remove only';
    if (name === 'todo' && !isFalse) return 'a planned test proves nothing; write it or remove it';
    if (name === 'skip' && isUnreasoned(property.initializer)) {
      return "skipped without a reason; say skip: requires('…') or skip: 'why'";
    }
  }
  return undefined;
}

function isUnreasoned(value: Node): boolean {
  if (value.kind === ast.SyntaxKind.TrueKeyword) return true;
  return ast.isStringLiteral(value) && value.text.trim() === '';
}

function numberOf(node: Node): number | undefined {
  if (ast.isNumericLiteral(node)) return Number(node.text.replaceAll('_', ''));
  if (!ast.isBinaryExpression(node) || node.operatorToken.kind !== ast.SyntaxKind.AsteriskToken) return undefined;
  const [left, right] = [numberOf(node.left), numberOf(node.right)];
  return left === undefined || right === undefined ? undefined : left * right;
}

/** Whether a function around the node is called until… or deadline…, or is handed to one that is. */
function isInsideWait(node: Node): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
    if (/^(wait)?(until|deadline)|(Until|Deadline)/.test(nameOfFunction(at))) return true;
  }
  return false;
}

function nameOfFunction(node: Node): string {
  if (ast.isFunctionDeclaration(node) || ast.isMethodDeclaration(node)) return node.name?.getText() ?? '';
  if (!ast.isArrowFunction(node) && !ast.isFunctionExpression(node)) return '';
  return ast.isVariableDeclaration(node.parent) ? node.parent.name.getText() : '';
}
