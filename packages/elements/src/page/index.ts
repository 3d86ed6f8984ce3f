/** What pages are made of: elements, pictograms, names as they are, and words. */

export { limitsInWords } from '../uploads/limits.ts';
export { type Attributes, type ButtonOptions, button, type Child, element, svgElement } from './element.ts';
export { type IconName, icon } from './icon.ts';
export { pause } from './pause.ts';
export { type NamePart, nameInText, partsOfName, visibleName } from './visible-name.ts';
export { bytesInWords, failureInWords, filesInWords, positionInWords, timeLeftInWords } from './wording.ts';
