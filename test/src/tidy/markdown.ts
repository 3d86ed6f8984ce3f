/**
 * The parts of a Markdown text that the rules ask for: links, headings as anchors, and code. Only what our documents
 * use is understood: ATX headings, fenced code, inline and reference links, images, and HTML with src, href, id or name.
 */
import { lineAt } from './tree.ts';

/** A link or an image: what it points at, as written, and the line it is on. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

/** A piece of code, inline or one fenced line, and the line it is on. */
export interface Code {
  readonly text: string;
  readonly line: number;
}

const linkPatterns: readonly RegExp[] = [
  /\]\(\s*<?(?<target>[^()\s<>]+(?:\([^()\s]*\)[^()\s]*)?)>?(?:\s+["'(][^)]*)?\s*\)/g,
  /^ {0,3}\[[^\]^]+\]:\s*<?(?<target>[^\s>]+)/gm,
  /<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=["'](?<target>[^"'\s]+)["']/g,
];

/** Every link and image of a text, except in code. */
export function linksIn(markdown: string): Link[] {
  const text = withoutCode(markdown);
  return linkPatterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      target: match.groups?.['target'] ?? '',
      line: lineAt(text, match.index),
    })),
  );
}

/** Every anchor of a text: headings in GitHub's spelling, numbered where they repeat, and HTML ids. */
export function anchorsIn(markdown: string): Set<string> {
  const text = withoutFences(markdown);
  const anchors = new Set<string>();
  for (const [, heading] of text.matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const slug = slugOf(heading ?? '');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  for (const [, id] of text.matchAll(/<\w+[^>]*?\b(?:id|name)=["']([^"']+)["']/g)) anchors.add(id ?? '');
  return anchors;
}

/** Every heading of a text without its marks, in order. */
export function headingsIn(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)].map((match) => match[1] ?? '');
}

/** Every line of fenced code and every inline code of a text. */
export function codeIn(markdown: string): Code[] {
  const fenced = [...markdown.matchAll(fences)].flatMap((match) =>
    match[0].split('\n').map((text, index) => ({ text, line: lineAt(markdown, match.index) + index })),
  );
  const prose = withoutFences(markdown);
  const inline = [...prose.matchAll(/(`+)(?!`)(.+?)(?<!`)\1(?!`)/g)].map((match) => ({
    text: match[2] ?? '',
    line: lineAt(prose, match.index),
  }));
  return [...fenced.filter(({ text }) => !/^\s*(```|~~~)/.test(text)), ...inline];
}

const fences = /^ {0,3}(```+|~~~+)[^\n]*\n[\s\S]*?(?:^ {0,3}\1[ \t]*$|$(?![\s\S]))/gm;

function withoutFences(markdown: string): string {
  return markdown.replace(fences, blanked).replace(/<!--[\s\S]*?-->/g, blanked);
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/(`+)(?!`).+?(?<!`)\1(?!`)/g, blanked);
}

function blanked(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

function slugOf(heading: string): string {
  const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return words.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
}
