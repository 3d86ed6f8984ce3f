/**
 * How HTTP spells what the model refuses: who has no token is told to bring one, and what is hidden is spelled as what is
 * missing. Plain SQL is told the model's own words. It decides nothing.
 */
import { seesBucket } from './rights.ts';
import { Refused, type Who, type World } from './world.ts';

const withoutToken: ReadonlySet<string> = new Set(['not_allowed', 'bucket_not_found', 'object_exists']);

interface Asked {
  readonly who: Who;
  /** The bucket that is asked of first; where it is hidden, so is everything in it. */
  readonly bucket: string;
  /** `If-None-Match: *` was asked. */
  readonly is_free?: boolean;
  /** Of a delete or a purge a missing object is done already. */
  readonly isIdempotent?: boolean;
}

/** Runs the model and spells what it refuses. */
export function asHttp<T>(world: World, asked: Asked, work: () => T): T {
  const isVisible = seesBucket(world, asked.who, asked.bucket);
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(...error.reasons.map((reason) => spelled(reason, asked, isVisible)));
  }
}

function spelled(reason: string, { who, is_free }: Asked, isVisible: boolean): string {
  const missing = reason === 'object_not_found' && !isVisible ? 'bucket_not_found' : reason;
  if (who === 'anon' && withoutToken.has(missing)) return 'auth_required';
  return is_free && missing === 'object_exists' ? 'precondition_failed' : missing;
}
