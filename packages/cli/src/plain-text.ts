/**
 * Text from outside for a terminal: one line, whatever was sent. What a terminal or a log reader would take for its own is
 * written out.
 */

/** Control characters, separators of lines, and what turns the direction of text, as escapes. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\\]/gu, (character) =>
    character === '\\' ? '\\\\' : `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
