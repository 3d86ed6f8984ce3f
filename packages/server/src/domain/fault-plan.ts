/**
 * Reads what is to happen at a fault point from a line of text, as the environment and campaigns give it. It enables
 * nothing. Invariant: a line that names no point or no action is refused, so no test passes because of a typing error.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultHandler, type FaultPoint, type FaultVerdict, faultPoints } from './fault.ts';

/** How a plan is written, for messages. */
const faultPlanForm = 'POINT[@N]=kill, =delay:MS, =short or =fail:ERRNO';

/**
 * Makes a handler from `POINT[@N]=ACTION`: `upload.after_commit=kill`, `file.sync@2=fail:EIO`. `@N` strikes the N-th
 * time that the point is passed, from 1; without it every time. `file.*` stands for every point of that kind.
 *
 * @throws RangeError for a point or an action that does not exist
 */
export function planFault(text: string): FaultHandler {
  const [, place = '', count, action = ''] = /^([\w.*]+?)(?:@(\d{1,9}))?=([\w:]+)$/.exec(text) ?? [];
  const points = pointsOf(place);
  const strike = strikeOf(action);
  if (points.size === 0 || strike === undefined) {
    throw new RangeError(`A fault is ${faultPlanForm}; the points are ${faultPoints.join(', ')}`);
  }
  let passed = 0;
  return (point) => {
    if (!points.has(point)) return undefined;
    passed += 1;
    return count === undefined || passed === Number(count) ? strike() : undefined;
  };
}

/** An error as the operating system raises it. */
export function systemError(errno: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${errno}: a fault that a test asked for`), { code: errno });
}

function pointsOf(place: string): ReadonlySet<FaultPoint> {
  const isWanted = (point: string): boolean =>
    place.endsWith('.*') ? point.startsWith(place.slice(0, -1)) : point === place;
  return new Set(faultPoints.filter(isWanted));
}

function strikeOf(action: string): (() => FaultVerdict | Promise<FaultVerdict>) | undefined {
  const [verb = '', value = ''] = action.split(':', 2);
  if (action === 'kill') return () => void process.kill(process.pid, 'SIGKILL');
  if (action === 'short') return () => 'short';
  if (verb === 'delay' && /^\d{1,7}$/.test(value)) return () => delay(Number(value));
  if (verb === 'fail' && /^E[A-Z0-9]{2,20}$/.test(value)) {
    return () => {
      throw systemError(value);
    };
  }
  return undefined;
}
