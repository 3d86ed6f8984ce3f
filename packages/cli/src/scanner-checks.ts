/** Whether the scanner answers, for `doctor`. It scans nothing: which engine and signatures it has, it says itself. */
import { ClamdScanner } from '@rowlock/server';
import { checkersOf } from './check-options.ts';
import { type Finding, finding } from './finding.ts';
import type { Settings } from './options.ts';

/** Asks the clamd of the settings; nothing where there is none. @throws UsageError for what is no address */
export async function checkScanner(settings: Settings): Promise<readonly Finding[]> {
  const { scanner } = checkersOf(settings);
  if (scanner === undefined) return [];
  try {
    return [finding('clamd', 'ok', `${await new ClamdScanner(scanner).version()} answers`)];
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return [finding('clamd', 'fail', says, 'start clamd, or set CLAMD to where it listens: files wait for it')];
  }
}
