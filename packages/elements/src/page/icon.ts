/** Pictograms, drawn by us as strokes on a field of 24 by 24. They are decoration: never read aloud. */
import { svgElement } from './element.ts';

const strokes = {
  bucket: ['M5 8h14l-1.3 10.2a2 2 0 0 1-2 1.8H8.3a2 2 0 0 1-2-1.8z', 'M7.5 8a4.5 4.5 0 0 1 9 0'],
  camera: ['M4 8h3.5L9 5.5h6L16.5 8H20v11H4z', 'M12 16.5a3.25 3.25 0 1 0-.01 0z'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  clock: ['M12 3.5a8.5 8.5 0 1 0 .01 0z', 'M12 7.5V12l3 2'],
  close: ['M6.5 6.5l11 11', 'M17.5 6.5l-11 11'],
  code: ['M8.5 7L3.5 12l5 5', 'M15.5 7l5 5-5 5', 'M13.5 5l-3 14'],
  copy: ['M9 8.5h10.5V20H9z', 'M5 15.5H4V4h11v1'],
  download: ['M12 4v11', 'M7.5 10.5L12 15l4.5-4.5', 'M5 19.5h14'],
  file: ['M7 3.5h6.5L18 8v12.5H7z', 'M13.5 3.5V8H18'],
  folder: ['M3.5 6.5h6l2 2.5h9v10.5h-17z'],
  globe: ['M12 3.5a8.5 8.5 0 1 0 .01 0z', 'M3.5 12h17', 'M12 3.5c4.5 5 4.5 12 0 17c-4.5-5-4.5-12 0-17'],
  image: ['M4 5h16v14H4z', 'M4 16l4.5-4.5 4 4 2.5-2.5 5 4.5', 'M15.5 9.5h.01'],
  link: ['M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1', 'M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1'],
  lock: ['M6 11h12v9H6z', 'M8.5 11V8a3.5 3.5 0 0 1 7 0v3'],
  minus: ['M5 12h14'],
  move: ['M4 12h15', 'M13.5 6.5L19 12l-5.5 5.5'],
  next: ['M9.5 5.5L16 12l-6.5 6.5'],
  pause: ['M9 6v12', 'M15 6v12'],
  people: [
    'M9 11.5a3.25 3.25 0 1 0-.01 0z',
    'M3.5 19.5c0-7 11-7 11 0',
    'M15.5 5.5a3 3 0 0 1 0 6',
    'M17 14.5c2.5.5 3.5 2.5 3.5 5',
  ],
  pin: ['M12 20.5c4.5-5 6.5-8 6.5-10.5a6.5 6.5 0 0 0-13 0c0 2.5 2 5.5 6.5 10.5z', 'M12 12.2a2.2 2.2 0 1 0-.01 0z'],
  play: ['M8 5.5l10.5 6.5L8 18.5z'],
  plus: ['M12 5v14', 'M5 12h14'],
  previous: ['M14.5 5.5L8 12l6.5 6.5'],
  retry: ['M19 12a7 7 0 1 1-2.2-5.1', 'M19.5 4v4.5H15'],
  settings: [
    'M4 7h9',
    'M17.5 7H20',
    'M15.25 9.25a2.25 2.25 0 1 0-.01 0z',
    'M4 17h2.5',
    'M11 17h9',
    'M8.75 19.25a2.25 2.25 0 1 0-.01 0z',
  ],
  trash: ['M4.5 7h15', 'M9.5 7V4.5h5V7', 'M6.5 7l1 13h9l1-13', 'M10.5 11v5.5', 'M13.5 11v5.5'],
  upload: ['M12 15.5V4.5', 'M7.5 9L12 4.5 16.5 9', 'M5 19.5h14'],
  warning: ['M12 4L2.5 20h19z', 'M12 10v4.5', 'M12 17.2h.01'],
} as const;

export type IconName = keyof typeof strokes;

/** Makes a pictogram in the colour and, by the class `icon`, the size of the text around it. */
export function icon(name: IconName): SVGSVGElement {
  const paths = strokes[name].map((d) => svgElement('path', { d }));
  return svgElement('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, ...paths);
}
