/** `upload_sweep`: one run of the sweep, asked for periodically by every worker and done by one. */
import { sweep } from '../operations/sweep.ts';
import type { JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext): Promise<void> {
  const { enqueued, completed, quarantined, expired, requeued, forgotten } = await sweep(context);
  context.observe({ type: 'sweep', enqueued, completed, quarantined, expired, requeued, forgotten });
}

export const uploadSweep: JobKind = { kind: 'upload_sweep', timeoutMs: 600_000, perform };
