/**
 * Names as they are, not as they want to look. Characters without a shape and those that turn the direction of a text
 * (so that `gpj.exe` reads as `exe.jpg`) are shown by their number. The name itself is never changed.
 */
import { element } from './element.ts';

const disguises = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** Characters of the kind above that ordinary names need: joiners inside emoji and of some scripts. */
const ordinary: ReadonlySet<string> = new Set(['\u200c', '\u200d']);

export interface NamePart {
  readonly text: string;
  /** Whether the text stands for a character that would not be seen. */
  readonly disguise: boolean;
}

/** Splits a name into what can be shown and labels of what cannot. */
export function partsOfName(name: string): readonly NamePart[] {
  const parts: NamePart[] = [];
  let from = 0;
  for (const { 0: character, index } of name.matchAll(disguises)) {
    if (ordinary.has(character)) {
      continue;
    }
    if (index > from) {
      parts.push({ text: name.slice(from, index), disguise: false });
    }
    parts.push({ text: labelOf(character), disguise: true });
    from = index + character.length;
  }
  if (from < name.length) {
    parts.push({ text: name.slice(from), disguise: false });
  }
  return parts;
}

/** The name as one text, for titles and for what is read aloud. */
export function nameInText(name: string): string {
  return partsOfName(name)
    .map(({ text, disguise }) => (disguise ? `[${text}]` : text))
    .join('');
}

/** The name as an element that keeps its direction to itself. */
export function visibleName(name: string): HTMLElement {
  const parts = partsOfName(name).map(({ text, disguise }) =>
    disguise ? element('span', { class: 'disguise', title: 'An invisible character' }, text) : text,
  );
  return element('bdi', { class: 'name' }, ...parts);
}

function labelOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
