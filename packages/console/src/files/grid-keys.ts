/** Which row a key leads to, as the ARIA practices for grids have it. */

/** The row, or undefined where the key leads nowhere. */
export function movedTo(
  key: string,
  active: number,
  { total, page }: { readonly total: number; readonly page: number },
): number | undefined {
  const wanted = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page };
  const ends = { Home: 0, End: total - 1 };
  const moved = (Object.entries({ ...wanted, ...ends }).find(([name]) => name === key) ?? [])[1];
  return moved === undefined || total === 0 ? undefined : Math.max(0, Math.min(total - 1, moved));
}
