/**
 * Links between documents lead somewhere: the file is in the repository and has the anchor. Links to other sites are
 * not followed, since a test must not need a network.
 */
import { posix } from 'node:path';
import { anchorsIn, linksIn } from './markdown.ts';
import type { SourceFile, Violation } from './tree.ts';

/** Reports relative links and images in Markdown whose file or anchor does not exist. */
export function deadLinks(files: readonly SourceFile[]): Violation[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const folders = new Set(files.flatMap(({ path }) => foldersAbove(path)));
  return files.filter(isMarkdown).flatMap(({ path, text }) =>
    linksIn(text).flatMap(({ target, line }) => {
      const message = problemOf(path, target, texts, folders);
      return message === undefined ? [] : [{ path, line, rule: 'dead-link', message }];
    }),
  );
}

function problemOf(
  from: string,
  target: string,
  texts: ReadonlyMap<string, string>,
  folders: ReadonlySet<string>,
): string | undefined {
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return undefined;
  const [link = '', anchor] = target.split('#', 2);
  const path = link === '' ? from : pathOf(from, link);
  if (path === undefined) return `'${target}' is not a valid path`;
  const text = texts.get(path);
  if (text === undefined && !folders.has(path)) return `'${target}' leads nowhere; there is no ${path}`;
  if (anchor === undefined || anchor === '' || !path.endsWith('.md')) return undefined;
  return anchorsIn(text ?? '').has(anchor) ? undefined : `${path} has no heading for #${anchor}`;
}

function pathOf(from: string, link: string): string | undefined {
  const path = decoded(link.split('?')[0] ?? '');
  if (path === undefined) return undefined;
  const joined = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(from), path);
  return posix.normalize(joined).replace(/\/$/, '');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function foldersAbove(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? ['.'] : [folder, ...foldersAbove(folder)];
}

function isMarkdown({ path }: SourceFile): boolean {
  return path.endsWith('.md');
}
