/** Arms the named fault point of ROWLOCK_FAULT (`point=kill`), for crash tests; does nothing without it. */
import { enableFaults, faultPoints } from '@rowlock/server';
import { UsageError } from './usage-error.ts';

/** @throws UsageError for a point that does not exist: a test that names none would pass for nothing */
export function armFaults(): void {
  const armed = process.env['ROWLOCK_FAULT'];
  if (armed === undefined || armed === '') {
    return;
  }
  const [point, action] = armed.split('=', 2);
  if (!faultPoints.some((each) => each === point) || action !== 'kill') {
    throw new UsageError(`ROWLOCK_FAULT must be one of ${faultPoints.join(', ')} followed by =kill`);
  }
  enableFaults((passed) => {
    if (passed === point) {
      process.kill(process.pid, 'SIGKILL');
    }
  });
}
