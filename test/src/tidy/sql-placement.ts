/**
 * Where SQL may be written: in sql folders, in the server's metadata folder, in the queue's statements and migrations,
 * and in tests. It recognises a statement by how its text begins, so prose and HTTP methods pass; SQL that is glued
 * together from fragments is not recognised.
 */
import { isForeign, isTest } from './places.ts';
import { ast, lineOf, type Node, type Syntax, syntaxOf, walk } from './syntax.ts';
import type { SourceFile, Violation } from './tree.ts';

/** The places where SQL is at home. */
const sqlPlaces: readonly RegExp[] = [
  /^packages\/[^/]+\/sql\//,
  /^packages\/server\/src\/metadata\//,
  /^packages\/queue\/src\/(statements|migrate)/,
  /^packages\/cli\/src\/dev\/([^/]+\/)*[a-z0-9-]*statements\.ts$/,
  /^(test|bench)\//,
  // Shown to people, who copy it; the console sends none.
  /^packages\/console\/src\/(access\/access-(answer|words)|files\/copy-as)\.ts$/,
  /^tools\/suite\/take-screenshots\.mjs$/,
];

const upperCaseStarts: readonly RegExp[] = [
  /^SELECT\s+\S/,
  /^INSERT\s+INTO\b/,
  /^UPDATE\s+\S+\s+(AS\s+\w+\s+)?SET\b/,
  /^UPDATE\s*$/,
  /^DELETE\s+FROM\b/,
  /^WITH\s+(RECURSIVE\s+)?\w+\s*(\([^)]*\)\s*)?AS\b/,
  /^MERGE\s+INTO\b/,
  /^(CREATE|ALTER|DROP)\s+[A-Z]+\b/,
  /^(GRANT|REVOKE)\s+\S+/,
  /^TRUNCATE\s+\S/,
  /^LOCK\s+TABLE\b/,
  /^(SET|RESET)\s+(LOCAL|SESSION|ROLE|CONSTRAINTS|ALL|\w+\s*(=|TO\b))/,
  /^(SHOW|LISTEN|UNLISTEN|NOTIFY)\s+\S/,
  /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)(\s+[A-Z"\w][^.]*)?;?\s*$/,
  /^START\s+TRANSACTION\b/,
  /^(COPY|CALL)\s+\S+.*[(]/,
  /^DO\s+\$/,
  /^VALUES\s*\(/,
];

const lowerCaseStarts: readonly RegExp[] = [
  /^select\s+.*\bfrom\b/s,
  /^select\s+[\w.]+\(/,
  /^insert\s+into\b/,
  /^update\s+\S+\s+set\b/,
  /^delete\s+from\b/,
  /^with\s+\w+\s+as\s*(materialized\s*)?\(/,
  /^(create|alter|drop)\s+(table|schema|role|user|function|view|index|database|policy|trigger)\s+\S/,
  /^(begin|commit|rollback);?\s*$/,
  /^set\s+(local|role|session)\b/,
];

/** Reports SQL text outside the places where SQL is at home. */
export function sqlPlacement(files: readonly SourceFile[]): Violation[] {
  const elsewhere = files.filter(({ path }) => !isTest(path) && !isForeign(path) && !isSqlPlace(path));
  return syntaxOf(elsewhere).flatMap((syntax) => sqlIn(syntax));
}

function isSqlPlace(path: string): boolean {
  return sqlPlaces.some((place) => place.test(path));
}

function sqlIn(syntax: Syntax): Violation[] {
  const found: Violation[] = [];
  walk(syntax.root, (node) => {
    const text = literalText(node);
    if (text === undefined || !beginsStatement(text) || isCompared(node)) return;
    const message = 'SQL belongs in sql/, server/src/metadata or queue/src/statements; call a named statement there';
    found.push({ path: syntax.path, line: lineOf(syntax, node), rule: 'sql-placement', message });
  });
  return found;
}

/** The text of a literal; a substitution that follows its beginning counts as a word. */
function literalText(node: Node): string | undefined {
  if (ast.isTemplateHead(node)) return `${node.text}$`;
  return ast.isStringLiteral(node) || ast.isNoSubstitutionTemplateLiteral(node) ? node.text : undefined;
}

function beginsStatement(text: string): boolean {
  const statement = text.replace(/^(\s|--[^\n]*\n|\/\*.*?\*\/)+/s, '');
  return [...upperCaseStarts, ...lowerCaseStarts].some((start) => start.test(statement));
}

/** A command tag that is compared or named as a type is an answer of the database, not a statement to it. */
function isCompared(node: Node): boolean {
  const { parent } = node;
  if (ast.isLiteralTypeNode(parent) || ast.isCaseClause(parent)) return true;
  if (!ast.isBinaryExpression(parent)) return false;
  const operator = parent.operatorToken.kind;
  return (
    operator === ast.SyntaxKind.EqualsEqualsEqualsToken || operator === ast.SyntaxKind.ExclamationEqualsEqualsToken
  );
}
