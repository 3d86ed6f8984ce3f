/**
 * The least that a Node process beside PostgreSQL can be: it loads the driver, connects, claims one row of `bare.jobs`, and
 * stays. Its only argument is the URL of the database; whoever started it sees in the row when that was, and ends it.
 */
import pg from 'pg';

const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
await client.query(
  `UPDATE bare.jobs SET state = 'running', finalized_at = now()
   WHERE id = (SELECT id FROM bare.jobs WHERE state = 'available' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`,
);
