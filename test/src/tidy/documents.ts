/**
 * What documents promise: decision records and fragments of the changelog have their form, the map lists every
 * document, and every command that is shown can be run. Which subcommands `rowlock` has is told to the rule by its
 * caller; while nobody tells, those are not judged.
 */
import { posix } from 'node:path';
import { codeIn, headingsIn, linksIn } from './markdown.ts';
import { isForeign } from './places.ts';
import { lineAt, type SourceFile, type Violation } from './tree.ts';

const recordLinesMax = 40;
const recordHeadings = ['Context', 'Decision', 'Alternatives', 'Consequences'];
const fragmentKinds = ['Added', 'Changed', 'Fixed', 'Removed', 'Security'];
const mapPath = 'docs/README.md';

/** Reports decision records that are too long, lack a heading, or are not numbered 0001, 0002, … without a gap. */
export function decisionRecords(files: readonly SourceFile[]): Violation[] {
  const records = files.filter(({ path }) => /^docs\/decisions\/.*\.md$/.test(path));
  return records
    .sort((one, other) => one.path.localeCompare(other.path))
    .flatMap((record, index) => {
      const problems = [nameProblem(record, index + 1), lengthProblem(record), headingProblem(record)];
      return problems
        .filter((message) => message !== undefined)
        .map((message) => ({ path: record.path, line: 1, rule: 'decision-record', message }));
    });
}

/** Reports commands in documents that name a script, a file or a subcommand which does not exist. */
export function deadCommands(files: readonly SourceFile[], subcommands?: readonly string[]): Violation[] {
  const known: KnownCommands = {
    scripts: scriptsOf(files),
    paths: new Set(files.map(({ path }) => path)),
    subcommands: subcommands === undefined ? undefined : new Set(subcommands),
  };
  const documents = files.filter(({ path }) => path.endsWith('.md') && !isForeign(path));
  return documents.flatMap(({ path, text }) =>
    codeIn(text).flatMap((code) =>
      problemsOf(code.text, known).map((message) => ({ path, line: code.line, rule: 'dead-command', message })),
    ),
  );
}

/** Reports scripts of the workspace that run a file which does not exist. */
export function deadScripts(files: readonly SourceFile[]): Violation[] {
  const manifest = files.find(({ path }) => path === 'package.json');
  const paths = new Set(files.map(({ path }) => path));
  return Object.entries(scriptsOf(files)).flatMap(([name, command]) =>
    missingFiles(command, paths).map((file) => {
      const line = lineAt(manifest?.text ?? '', manifest?.text.indexOf(`"${name}":`) ?? 0);
      const message = `the script '${name}' runs ${file}, which does not exist`;
      return { path: 'package.json', line, rule: 'dead-script', message };
    }),
  );
}

/** Reports documents below docs/ that the map of documents does not list. */
export function unmappedDocuments(files: readonly SourceFile[]): Violation[] {
  const map = files.find(({ path }) => path === mapPath);
  const targets = linksIn(map?.text ?? '').map(({ target }) => posix.join('docs', target.split('#')[0] ?? ''));
  const documents = files.filter(({ path }) => /^docs\/.*\.md$/.test(path) && path !== mapPath);
  return documents
    .filter(({ path }) => !targets.includes(path))
    .map(({ path }) => ({ path, line: 1, rule: 'unmapped-document', message: `link it from ${mapPath}` }));
}

/** Reports fragments of the changelog whose first word does not say of which kind they are. */
export function changeFragments(files: readonly SourceFile[]): Violation[] {
  const fragments = files.filter(({ path }) => path.startsWith('changes/') && path !== 'changes/README.md');
  const message = `a fragment is kebab-case.md and begins with ${fragmentKinds.join(':, ')}:`;
  return fragments
    .filter(({ path, text }) => !isFragmentName(path) || !fragmentKinds.some((kind) => text.startsWith(`${kind}: `)))
    .map(({ path }) => ({ path, line: 1, rule: 'change-fragment', message }));
}

interface KnownCommands {
  readonly scripts: Readonly<Record<string, string>>;
  readonly paths: ReadonlySet<string>;
  readonly subcommands: ReadonlySet<string> | undefined;
}

function isFragmentName(path: string): boolean {
  return /^changes\/[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(path);
}

function nameProblem({ path }: SourceFile, number: number): string | undefined {
  const expected = String(number).padStart(4, '0');
  const isNamed = /^\d{4}-[a-z0-9-]+\.md$/.test(posix.basename(path));
  if (isNamed && posix.basename(path).startsWith(expected)) return undefined;
  return `records are called NNNN-title.md and numbered without a gap; this one is number ${expected}`;
}

function lengthProblem({ text }: SourceFile): string | undefined {
  const lines = text.trimEnd().split('\n').length;
  return lines > recordLinesMax ? `${lines} lines, at most ${recordLinesMax}; say less` : undefined;
}

function headingProblem({ text }: SourceFile): string | undefined {
  const found = headingsIn(text).filter((heading) => recordHeadings.includes(heading));
  if (found.join() === recordHeadings.join()) return undefined;
  return `needs the headings ${recordHeadings.join(', ')}, once each and in this order`;
}

function scriptsOf(files: readonly SourceFile[]): Readonly<Record<string, string>> {
  const manifest = files.find(({ path }) => path === 'package.json');
  const json = JSON.parse(manifest?.text ?? '{}') as { readonly scripts?: Readonly<Record<string, string>> };
  return json.scripts ?? {};
}

function problemsOf(code: string, known: KnownCommands): string[] {
  const scripts = [...code.matchAll(/\bnpm (?:run (?<named>[a-z][\w:-]*)|(?<builtIn>test|start)\b)/g)]
    .map(({ groups }) => groups?.['named'] ?? groups?.['builtIn'] ?? '')
    .filter((name) => !(name in known.scripts))
    .map((name) => `there is no script '${name}' in package.json`);
  const files = missingFiles(code, known.paths).map((file) => `there is no file ${file}`);
  return [...scripts, ...files, ...missingSubcommands(code, known.subcommands)];
}

/** Files after `node` that are not in the tree; a built file stands for the module that it is built from. */
function missingFiles(command: string, paths: ReadonlySet<string>): string[] {
  return [...command.matchAll(/\bnode (?:--?\S+ )*(?<file>[\w./-]+\.(?:mjs|js|ts))(?![\w*])/g)]
    .map(({ groups }) => posix.normalize(groups?.['file'] ?? ''))
    .filter((file) => !paths.has(file) && !paths.has(file.replace('/dist/', '/src/').replace(/\.js$/, '.ts')));
}

function missingSubcommands(code: string, subcommands: ReadonlySet<string> | undefined): string[] {
  if (subcommands === undefined) return [];
  return [...code.matchAll(/(?:^|[\s$&|;(])(?:npx )?rowlock (?<name>[a-z][a-z-]*)/g)]
    .map(({ groups }) => groups?.['name'] ?? '')
    .filter((name) => !subcommands.has(name))
    .map((name) => `rowlock has no subcommand '${name}'`);
}
