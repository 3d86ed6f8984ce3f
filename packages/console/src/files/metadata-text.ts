/** Values of user metadata as one line of text, and back. A text that would be read as something else is quoted. */

/** How a value is shown in a field. */
export function metadataText(value: unknown): string {
  return typeof value === 'string' && typeof jsonOf(value) === 'undefined' ? value : JSON.stringify(value);
}

/** What a field says: JSON where it is JSON, else its text. */
export function metadataOf(text: string): unknown {
  const json = jsonOf(text);
  return json === undefined ? text : json.value;
}

function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
