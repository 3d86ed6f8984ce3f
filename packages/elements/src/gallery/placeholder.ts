/** Draws a placeholder, which the page stretches to the size of the picture. */
import { element } from '../page/element.ts';
import { decodeThumbhash } from './thumbhash.ts';

/** The placeholder as an element; undefined for what is none. */
export function placeholderOf(thumbhash: string): HTMLCanvasElement | undefined {
  const decoded = decodeThumbhash(thumbhash);
  if (decoded === undefined) {
    return undefined;
  }
  const { width, height, rgba } = decoded;
  const canvas = element('canvas', { width: String(width), height: String(height), 'aria-hidden': 'true' });
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}
