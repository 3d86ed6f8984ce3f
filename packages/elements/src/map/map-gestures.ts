/** Keys, wheel, drags and pinches on a map, as movements and zooms. It knows no map and no projection. */
import type { FlatPoint } from './mercator.ts';

export interface MapMoves {
  readonly moveBy: (pixels: FlatPoint) => void;
  /** By a factor, around a pixel of the map; around its middle unless given. */
  readonly zoomBy: (factor: number, around?: FlatPoint) => void;
  readonly showAll: () => void;
}

const stepPixels = 60;
const zoomStep = 1.6;
/** A press that moves less is a click. */
const dragPixels = 4;

const steps: Readonly<Record<string, FlatPoint>> = {
  ArrowLeft: { x: stepPixels, y: 0 },
  ArrowRight: { x: -stepPixels, y: 0 },
  ArrowUp: { x: 0, y: stepPixels },
  ArrowDown: { x: 0, y: -stepPixels },
};

/** Listens on the map until the signal ends. The wheel zooms a map that has the focus, and scrolls the page otherwise. */
export function mapGestures(map: HTMLElement, signal: AbortSignal, moves: MapMoves): void {
  map.addEventListener('keydown', (event) => onKey(event, moves), { signal });
  map.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey || map.matches(':focus-within')) {
        event.preventDefault();
        moves.zoomBy(event.deltaY < 0 ? zoomStep : 1 / zoomStep, pixelOfEvent(map, event));
      }
    },
    { signal, passive: false },
  );
  onPointers(map, signal, moves);
}

function onKey(event: KeyboardEvent, moves: MapMoves): void {
  const step = steps[event.key];
  if (event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  if (step !== undefined) {
    moves.moveBy(step);
  } else if (event.key === '+' || event.key === '=') {
    moves.zoomBy(zoomStep);
  } else if (event.key === '-') {
    moves.zoomBy(1 / zoomStep);
  } else if (event.key === '0' || event.key === 'Home') {
    moves.showAll();
  } else {
    return;
  }
  event.preventDefault();
}

function onPointers(map: HTMLElement, signal: AbortSignal, moves: MapMoves): void {
  const pointers = new Map<number, FlatPoint>();
  let isDrag = false;
  let travelled = 0;
  const down = (event: PointerEvent): void => {
    if (pointers.size === 0) {
      [isDrag, travelled] = [false, 0];
    }
    pointers.set(event.pointerId, pixelOfEvent(map, event));
  };
  const move = (event: PointerEvent): void => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      return;
    }
    const now = pixelOfEvent(map, event);
    const by = { x: now.x - before.x, y: now.y - before.y };
    travelled += Math.hypot(by.x, by.y);
    if (!isDrag && travelled < dragPixels) {
      return;
    }
    if (!isDrag) {
      isDrag = true;
      map.setPointerCapture(event.pointerId);
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    moves.moveBy(other === undefined ? by : { x: by.x / 2, y: by.y / 2 });
    if (other !== undefined) {
      moves.zoomBy(distance(now, other) / Math.max(1, distance(before, other)), middle(now, other));
    }
  };
  const up = (event: PointerEvent): void => void pointers.delete(event.pointerId);
  // A drag that ends over a marker is no click on it.
  const click = (event: MouseEvent): void => {
    if (isDrag && event.detail > 0) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  map.addEventListener('pointerdown', down, { signal });
  map.addEventListener('pointermove', move, { signal });
  map.addEventListener('pointerup', up, { signal });
  map.addEventListener('pointercancel', up, { signal });
  map.addEventListener('click', click, { signal, capture: true });
}

function pixelOfEvent(map: HTMLElement, { clientX, clientY }: MouseEvent): FlatPoint {
  const { left, top } = map.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

function distance(a: FlatPoint, b: FlatPoint): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(a: FlatPoint, b: FlatPoint): FlatPoint {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
