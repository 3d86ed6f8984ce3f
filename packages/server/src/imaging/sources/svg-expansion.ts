/**
 * Estimates how many elements a drawing comes to once everything that it refers to is drawn where it refers to it, since
 * some hundred bytes of references to references can ask for billions. It is no parser: what fools it costs time, which is
 * limited elsewhere. Invariant: it looks at each character once, and at each reference once.
 */

interface Part {
  /** Elements that are in it and in no other part. */
  own: number;
  /** Ids of the parts in it, and of those that it refers to. */
  readonly parts: string[];
}

const root = '';
/** Nobody draws by hand what refers to what refers to what, so often. */
const depthMax = 100;

/** Returns how many elements are drawn, infinity where references go too deep. What refers to itself is drawn once. */
export function drawnElements(text: string): number {
  const known = partsOf(text);
  const counted = new Map<string, number>();
  const count = (id: string, depth: number): number => {
    const part = known.get(id);
    if (part === undefined) return 0;
    const before = counted.get(id);
    if (before !== undefined) return before;
    if (depth > depthMax) return Number.POSITIVE_INFINITY;
    counted.set(id, 0);
    const sum = part.parts.reduce((elements, each) => elements + count(each, depth + 1), part.own);
    counted.set(id, sum);
    return sum;
  };
  return count(root, 0);
}

/** By id, with what has none in what is around it. */
function partsOf(text: string): ReadonlyMap<string, Part> {
  const known = new Map<string, Part>([[root, { own: 0, parts: [] }]]);
  const open: string[] = [];
  const partOf = (id: string): Part => {
    const part = known.get(id) ?? { own: 0, parts: [] };
    known.set(id, part);
    return part;
  };
  for (const tag of tagsOf(text)) {
    if (tag.startsWith('/')) {
      open.pop();
      continue;
    }
    const around = open.at(-1) ?? root;
    const id = /\sid\s*=\s*["']([^"']*)["']/.exec(tag)?.[1] ?? around;
    if (id !== around) partOf(around).parts.push(id);
    const part = partOf(id);
    part.own += 1;
    for (const [, target = ''] of tag.matchAll(/["'(]\s*#([^"')\s]+)/g)) part.parts.push(target);
    if (!tag.endsWith('/')) open.push(id);
  }
  return known;
}

/**
 * What is between the brackets of each element's beginning and end. No pattern looks for them: one that has to find both
 * brackets reads what follows a bracket that is never closed again and again.
 */
function* tagsOf(text: string): Generator<string> {
  for (const piece of text.split('<').slice(1)) {
    const end = piece.indexOf('>');
    if (end > 0 && /^\/?[A-Za-z_]/.test(piece)) yield piece.slice(0, end);
  }
}
