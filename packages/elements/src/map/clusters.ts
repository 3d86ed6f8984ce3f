/** Puts points together that would cover each other on a map. Invariant: each point is in one cluster. */
import type { FlatPoint } from './mercator.ts';

export interface Cluster {
  /** The middle of its points, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Places in the list of points. */
  readonly members: readonly number[];
}

/** Groups pixels that are nearer than a distance, by cells of that size and their neighbours; O(n). */
export function clustersOf(pixels: readonly FlatPoint[], distancePixels: number): readonly Cluster[] {
  const cells = new Map<string, { x: number; y: number; members: number[] }[]>();
  const clusters: { x: number; y: number; members: number[] }[] = [];
  const cellOf = (value: number): number => Math.floor(value / distancePixels);
  for (const [place, { x, y }] of pixels.entries()) {
    const near = neighbours(cellOf(x), cellOf(y))
      .flatMap((cell) => cells.get(cell) ?? [])
      .find((cluster) => Math.hypot(cluster.x - x, cluster.y - y) < distancePixels);
    if (near === undefined) {
      const cluster = { x, y, members: [place] };
      const cell = `${cellOf(x)} ${cellOf(y)}`;
      cells.set(cell, [...(cells.get(cell) ?? []), cluster]);
      clusters.push(cluster);
    } else {
      near.members.push(place);
    }
  }
  return clusters.map(({ members }) => ({
    ...middleOf(members.map((place) => pixels[place] ?? { x: 0, y: 0 })),
    members,
  }));
}

function neighbours(column: number, row: number): readonly string[] {
  const around = [-1, 0, 1];
  return around.flatMap((dx) => around.map((dy) => `${column + dx} ${row + dy}`));
}

function middleOf(points: readonly FlatPoint[]): FlatPoint {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) };
}
