/**
 * What a module takes from others and what it offers: imports, re-exports, dynamic imports and exported names, read
 * from syntax alone. It does not say whether an import is allowed or an export is needed; the rules do.
 */
import { posix } from 'node:path';
import { ast, lineOf, type Node, type Syntax, walk } from './syntax.ts';

/** One reference from a module to another; `names` is `'all'` where the whole module may be used. */
export interface Import {
  readonly specifier: string;
  readonly names: readonly string[] | 'all';
  readonly line: number;
}

/** One exported name; a type is what leaves nothing behind when it is compiled. */
export interface Export {
  readonly name: string;
  readonly isType: boolean;
  readonly line: number;
}

/** Everything that a module refers to with a specifier, in the order of the text. */
export function importsOf(syntax: Syntax): Import[] {
  const found: Import[] = [];
  walk(syntax.root, (node) => {
    const reference = staticImport(node) ?? reExport(node) ?? dynamicImport(node) ?? urlImport(node);
    if (reference !== undefined) found.push({ ...reference, line: lineOf(syntax, node) });
  });
  return found;
}

/** Every name that a module declares and exports, or exports from its own scope; re-exports are imports. */
export function exportsOf(syntax: Syntax): Export[] {
  return syntax.root.statements.flatMap((statement) => {
    const line = lineOf(syntax, statement);
    if (ast.isExportDeclaration(statement)) {
      const clause = statement.exportClause;
      if (statement.moduleSpecifier !== undefined || clause === undefined || !ast.isNamedExports(clause)) return [];
      return clause.elements.map((element) => ({ name: element.name.text, isType: statement.isTypeOnly, line }));
    }
    if (!isExported(statement)) return [];
    return declaredNames(statement).map((name) => ({ name, isType: isTypeDeclaration(statement), line }));
  });
}

/** The repository path that a relative specifier names, or undefined for a package. */
export function resolveSpecifier(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/** The package that a bare specifier names, without the path inside it. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Whether a statement carries the `export` modifier. */
export function isExported(statement: Node): boolean {
  return hasModifier(statement, ast.SyntaxKind.ExportKeyword);
}

/** Whether a declaration carries a modifier of this kind. */
export function hasModifier(node: Node, kind: ast.SyntaxKind): boolean {
  let found = false;
  node.forEachChild((child) => {
    found ||= child.kind === kind;
  });
  return found;
}

type Reference = Omit<Import, 'line'>;

function staticImport(node: Node): Reference | undefined {
  if (!ast.isImportDeclaration(node) || !ast.isStringLiteral(node.moduleSpecifier)) return undefined;
  const specifier = node.moduleSpecifier.text;
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined) return { specifier, names: [] };
  if (!ast.isNamedImports(bindings)) return { specifier, names: 'all' };
  return { specifier, names: bindings.elements.map((element) => (element.propertyName ?? element.name).text) };
}

function reExport(node: Node): Reference | undefined {
  if (!ast.isExportDeclaration(node)) return undefined;
  if (node.moduleSpecifier === undefined || !ast.isStringLiteral(node.moduleSpecifier)) return undefined;
  const specifier = node.moduleSpecifier.text;
  const clause = node.exportClause;
  if (clause === undefined || !ast.isNamedExports(clause)) return { specifier, names: 'all' };
  return { specifier, names: clause.elements.map((element) => (element.propertyName ?? element.name).text) };
}

function dynamicImport(node: Node): Reference | undefined {
  if (ast.isImportTypeNode(node)) {
    const literal = ast.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    return literal && ast.isStringLiteral(literal) ? { specifier: literal.text, names: 'all' } : undefined;
  }
  if (!ast.isCallExpression(node) || node.expression.kind !== ast.SyntaxKind.ImportKeyword) return undefined;
  const argument = node.arguments[0];
  return argument && ast.isStringLiteral(argument) ? { specifier: argument.text, names: 'all' } : undefined;
}

/** `new URL('./worker.ts', import.meta.url)`: how a module names another that runs in a thread or a process. */
function urlImport(node: Node): Reference | undefined {
  if (!ast.isNewExpression(node) || !ast.isIdentifier(node.expression) || node.expression.text !== 'URL') {
    return undefined;
  }
  const argument = node.arguments?.[0];
  if (!argument || !ast.isStringLiteral(argument) || !/^\.{1,2}\/.*\.[tj]s$/.test(argument.text)) return undefined;
  return { specifier: argument.text, names: 'all' };
}

function isTypeDeclaration(statement: Node): boolean {
  return ast.isInterfaceDeclaration(statement) || ast.isTypeAliasDeclaration(statement);
}

function declaredNames(statement: Node): string[] {
  if (ast.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) => namesInBinding(declaration.name));
  }
  const isNamed =
    ast.isFunctionDeclaration(statement) || ast.isClassDeclaration(statement) || isTypeDeclaration(statement);
  if (!isNamed) return [];
  const name = (statement as Node & { readonly name?: Node }).name;
  return name && ast.isIdentifier(name) ? [name.text] : [];
}

function namesInBinding(binding: Node): string[] {
  if (ast.isIdentifier(binding)) return [binding.text];
  const names: string[] = [];
  walk(binding, (node) => {
    if (ast.isBindingElement(node) && node.name && ast.isIdentifier(node.name)) names.push(node.name.text);
  });
  return names;
}
