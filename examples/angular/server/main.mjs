/** Runs the application's server with what the environment says, until it is told to stop. */
import { fileURLToPath } from 'node:url';
import { startApplication } from './application.mjs';

const { PORT, ROWLOCK_URL, DATABASE_URL, JWT_SECRET, PEOPLE } = process.env;

const application = await startApplication({
  port: Number(PORT ?? 4200),
  folder: fileURLToPath(new URL('../dist/browser', import.meta.url)),
  rowlockUrl: ROWLOCK_URL,
  databaseUrl: DATABASE_URL,
  jwtSecret: JWT_SECRET,
  people: (PEOPLE ?? '').split(',').filter((name) => name !== ''),
});
console.log(`ready ${application.url}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await application.stop();
    process.exit(0);
  });
}
