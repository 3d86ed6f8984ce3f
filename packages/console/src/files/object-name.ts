/** The parts of an object's name, which are folders by nothing but their slashes. */

export interface FileAddress {
  readonly bucket: string;
  /** The whole name, with its folders. */
  readonly name: string;
}

/** The last part of a name. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** What is before the last part: empty, or ending in a slash. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

/** A folder as somebody typed it, as the beginning of names: without slashes around, and with one at the end. */
export function prefixOfText(text: string): string {
  const segments = text.split('/').filter((segment) => segment.trim() !== '');
  return segments.map((segment) => `${segment.trim()}/`).join('');
}
