/** What must be true of a database before the API starts on it. */
import { inspectDatabase } from '@rowlock/server';

/** @throws Error that says what to do: schema missing, or a role that row-level security does not bind */
export async function assertHarmless(url: string, allowed: { readonly allowSuperuser: boolean }): Promise<void> {
  const facts = await inspectDatabase(url);
  if (!facts.is_migrated) {
    throw new Error('the database has no Rowlock schema yet; run: rowlock migrate');
  }
  if ((facts.is_superuser || facts.bypasses_rls) && !allowed.allowSuperuser) {
    throw new Error(
      `the API would run as ${facts.role}, which row-level security does not bind. Set API_DATABASE_URL to the role ` +
        'rowlock_authenticator (give it a password with ALTER ROLE), or pass --allow-superuser for a trial',
    );
  }
}
