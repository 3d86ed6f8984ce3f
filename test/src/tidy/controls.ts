/**
 * Negative controls as data: each names text that is in its source file exactly once, and a test that exists. Whether
 * the test then fails, `npm run campaign -- controls` tries; this only keeps the list from rotting in between.
 */
import { resolveSpecifier } from './modules.ts';
import type { SourceFile, Violation } from './tree.ts';

interface Control {
  readonly guard: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly test: string;
  readonly name: string;
}

const folder = 'test/controls/';

/** Reports controls whose edit cannot be made, changes nothing, or whose test is not there. */
export function staleControls(files: readonly SourceFile[]): Violation[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const lists = files.filter(({ path }) => path.startsWith(folder) && path.endsWith('.json'));
  return lists.flatMap((list) =>
    (JSON.parse(list.text) as readonly Control[]).flatMap((control) => {
      const line = lineOfGuard(list.text, control.guard);
      return problemsOf(control, texts).map((message) => ({ path: list.path, line, rule: 'stale-control', message }));
    }),
  );
}

/** Reports guards that two controls call the same: a report could not tell them apart. */
export function doubledGuards(files: readonly SourceFile[]): Violation[] {
  const seen = new Set<string>();
  return files
    .filter(({ path }) => path.startsWith(folder) && path.endsWith('.json'))
    .flatMap(({ path, text }) =>
      (JSON.parse(text) as readonly Control[]).flatMap(({ guard }) => {
        const isSecond = seen.has(guard);
        seen.add(guard);
        const line = lineOfGuard(text, guard);
        return isSecond ? [{ path, line, rule: 'doubled-guard', message: `there are two controls "${guard}"` }] : [];
      }),
    );
}

function problemsOf(control: Control, texts: ReadonlyMap<string, string>): string[] {
  const source = texts.get(control.file);
  const test = texts.get(control.test);
  const found = source === undefined ? 0 : source.split(control.find).length - 1;
  return [
    ...(source === undefined ? [`there is no file ${control.file}`] : []),
    ...(source !== undefined && found !== 1
      ? [`its text is ${found} times in ${control.file}: "${control.find}"`]
      : []),
    ...(control.find === control.replace ? ['its edit changes nothing'] : []),
    ...(test === undefined ? [`there is no file ${control.test}`] : []),
    ...(test === undefined ? [] : unknownNames(control, texts)),
  ];
}

/** The parts of a test's path that nothing in its file, or in a module that the file imports, could be the name of. */
function unknownNames({ test, name }: Control, texts: ReadonlyMap<string, string>): string[] {
  const sources = [...withImports(test, texts)].map((path) => texts.get(path) ?? '');
  const templates = sources.flatMap(templatesIn);
  return name
    .split(' > ')
    .filter((part) => !sources.some((text) => text.includes(part)) && !templates.some((each) => isPartOf(part, each)))
    .map((part) => `no test of ${test} is called "${part}"`);
}

function withImports(path: string, texts: ReadonlyMap<string, string>, seen: Set<string> = new Set()): Set<string> {
  const text = texts.get(path);
  if (text === undefined || seen.has(path)) return seen;
  seen.add(path);
  for (const [, specifier = ''] of text.matchAll(/from '(\.[^']+)'/g)) {
    const target = resolveSpecifier(path, specifier);
    if (target !== undefined) withImports(target, texts, seen);
  }
  return seen;
}

/** Names of tests that are written as templates: of each, the texts around its placeholders. */
function templatesIn(text: string): string[][] {
  const names = [...text.matchAll(/\b(?:test|describe|check)\(\s*`([^`]*)`/g)].map(([, name = '']) => name);
  return names.map((name) => name.split(/\$\{[^}]*\}/)).filter((texts) => texts.length > 1);
}

/**
 * Whether a name could be what a template becomes, or a part of that: the end of one of its texts, those that follow, and
 * the beginning of a last one. Of a part, half must be text of the template, since a placeholder may be anything.
 */
function isPartOf(name: string, texts: readonly string[]): boolean {
  if (texts.join('') !== '' && new RegExp(`^${texts.map(escaped).join('.+')}$`).test(name)) return true;
  return texts.some((first, from) => {
    const start = longest(first, (length) => name.startsWith(first.slice(first.length - length)));
    return texts.slice(from + 1).some((last, more) => {
      const end = longest(last, (length) => name.endsWith(last.slice(0, length)));
      const between = texts.slice(from + 1, from + 1 + more);
      const pattern = ['', ...between.map(escaped), ''].join('.+');
      const known = start + end + between.join('').length;
      return known * 2 >= name.length && new RegExp(`^${pattern}$`).test(name.slice(start, name.length - end));
    });
  });
}

/** The greatest length, up to that of a text, for which something is so. */
function longest(text: string, isSo: (length: number) => boolean): number {
  let length = text.length;
  while (length > 0 && !isSo(length)) length -= 1;
  return length;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function lineOfGuard(text: string, guard: string): number {
  return text.split('\n').findIndex((line) => line.includes(JSON.stringify(guard))) + 1;
}
