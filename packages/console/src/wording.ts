/**
 * How moments are said to a person; sizes and failures are said as our custom elements say them. One place, so that the
 * same thing is said in the same words everywhere; it makes no elements and knows no page.
 */
export { bytesInWords, failureInWords, filesInWords } from '@rowlock/elements/page';

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
];

/** How long ago something was, up to a week; after that, its date. */
export function momentInWords(moment: Date, now: Date = new Date()): string {
  const seconds = (now.getTime() - moment.getTime()) / 1000;
  if (seconds < 60) {
    return 'just now';
  }
  if (seconds >= 7 * 86_400) {
    return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' }).format(moment);
  }
  const [unit, length] = steps.findLast(([, each]) => seconds >= each) ?? ['minute', 60];
  return new Intl.RelativeTimeFormat('en', { numeric: 'always' }).format(-Math.floor(seconds / length), unit);
}

/** The time of a day, such as 14:05, in the reader's own zone. */
export function clockInWords(moment: Date): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(moment);
}
