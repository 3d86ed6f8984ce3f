/** Finds what somebody meant who mistyped a word. It knows no commands. */

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The word that is at most two edits away (Levenshtein distance), or `undefined`. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((each) => ({ each, d: distance(word, each) })).sort((x, y) => x.d - y.d);
  return ranked[0] !== undefined && ranked[0].d <= 2 ? ranked[0].each : undefined;
}
