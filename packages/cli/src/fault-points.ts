/** Arms the fault point of ROWLOCK_FAULT (`upload.after_commit=kill`), for crash tests; does nothing without it. */
import { enableFaults, planFault } from '@rowlock/server';
import { UsageError } from './usage-error.ts';

/** @throws UsageError for a point that does not exist: a test that names none would pass for nothing */
export function armFaults(): void {
  const armed = process.env['ROWLOCK_FAULT'];
  if (armed === undefined || armed === '') {
    return;
  }
  try {
    enableFaults(planFault(armed));
  } catch (error) {
    throw new UsageError(`ROWLOCK_FAULT: ${error instanceof Error ? error.message : String(error)}`);
  }
}
