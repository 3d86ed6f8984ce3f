/**
 * The application's own rows, as whoever asks: each request is one transaction with the caller's role and claims, and the
 * policies of database/potholes.sql decide. Nothing here asks who may do what.
 */
import { readFile } from 'node:fs/promises';
import pg from 'pg';

const schemaFile = new URL('../database/potholes.sql', import.meta.url);

const becomeCaller = `SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`;
const columns = `id::text, title, reported_by AS "reportedBy", reported_at AS "reportedAt", is_public AS "isPublic",
  latitude, longitude, reported_by = storage.caller_id() AS "isMine"`;
const statements = {
  list: `SELECT ${columns} FROM public.pothole ORDER BY id DESC LIMIT 500`,
  add: `INSERT INTO public.pothole (title) VALUES ($1) RETURNING ${columns}`,
  publish: `UPDATE public.pothole SET is_public = $2 WHERE id = $1 RETURNING ${columns}`,
  remove: 'DELETE FROM public.pothole WHERE id = $1 RETURNING id::text',
};

/** Applies database/potholes.sql, as the owner of the database. */
export async function installPotholes(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(await readFile(schemaFile, 'utf8'));
  } finally {
    await client.end();
  }
}

/** The reports of one database. */
export class Potholes {
  #pool;

  /** @param databaseUrl of a role that may become `authenticated` */
  constructor(databaseUrl) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
    this.#pool.on('error', (error) => console.error(`potholes: a connection was lost: ${error.message}`));
  }

  /** The reports that the caller sees, newest first. */
  list(claims) {
    return this.#asCaller(claims, statements.list, []);
  }

  async add(claims, title) {
    return (await this.#asCaller(claims, statements.add, [title]))[0];
  }

  /** Shows a report to everybody who is signed in, or to its reporter alone; undefined where it is not theirs. */
  async publish(claims, id, isPublic) {
    return (await this.#asCaller(claims, statements.publish, [id, isPublic]))[0];
  }

  async remove(claims, id) {
    return (await this.#asCaller(claims, statements.remove, [id]))[0];
  }

  async close() {
    await this.#pool.end();
  }

  async #asCaller(claims, text, values) {
    const connection = await this.#pool.connect();
    try {
      await connection.query('BEGIN');
      await connection.query(becomeCaller, [JSON.stringify(claims)]);
      const { rows } = await connection.query(text, values);
      await connection.query('COMMIT');
      connection.release();
      return rows;
    } catch (error) {
      // A connection that failed in the middle may still be the caller; it is not used again.
      connection.release(true);
      throw error;
    }
  }
}
