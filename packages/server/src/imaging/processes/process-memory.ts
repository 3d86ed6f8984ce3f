/** How much memory another process has, where the system says so in a file. It watches nothing and kills nothing. */
import { readFile } from 'node:fs/promises';

/** Resident bytes of a process, of what it shares too; 0 for one that is gone and on systems other than Linux. */
export async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 0;
    throw error;
  }
}
