/**
 * Every module says first what it is responsible for, what it deliberately is not, and the invariant it keeps. This
 * rule can only see that something of that length stands there; whether it is true is for a reader.
 */
import { isCode, isForeign, isPackageModule, isPublicIndex, isTest } from './places.ts';
import type { SourceFile, Violation } from './tree.ts';

const wordsMin = 8;

/** Reports modules that do not begin with a doc comment of at least a sentence. */
export function moduleComments(files: readonly SourceFile[]): Violation[] {
  return files.filter(needsComment).flatMap(({ path, text }) => {
    const comment = /^(#![^\n]*\n)?\s*\/\*\*(?<body>.*?)\*\//s.exec(text)?.groups?.['body'];
    const words = comment?.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
    if (words >= wordsMin) return [];
    const message =
      comment === undefined
        ? 'begin with /** … */: what it is responsible for, what it deliberately is not, the invariant it keeps'
        : 'the first comment is too short to say what the module is responsible for and what it is not';
    return [{ path, line: 1, rule: 'module-comment', message }];
  });
}

function needsComment({ path, text }: SourceFile): boolean {
  if (isTest(path) || isPublicIndex(path) || isForeign(path) || isPlaceholder(text)) return false;
  return isPackageModule(path) || (/^(test|bench|tools)\//.test(path) && isCode(path));
}

/** A module that has no content yet has no duty to state. */
function isPlaceholder(text: string): boolean {
  return /^\s*(export \{\};)?\s*$/.test(text);
}
