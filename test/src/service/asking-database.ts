/**
 * Stand-ins for pg_net and pgsql-http, which are not packaged where tests run: the same names, types and transactions,
 * with Node doing the HTTP. pg_net's requests leave after the commit; pgsql-http's block the statement that makes them.
 */
import type { MigratedDatabase } from '@rowlock/test-harness';

/** What the background worker of pg_net would take; `relayRequests` is that worker. */
export async function standInForPgNet(database: MigratedDatabase): Promise<void> {
  await database.query(`
    CREATE SCHEMA net;
    CREATE TABLE net.http_request_queue (id bigserial PRIMARY KEY, url text, body jsonb, headers jsonb);
    CREATE TABLE net._http_response (id bigint, status_code integer, content text);
    CREATE FUNCTION net.http_post(url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}',
      timeout_milliseconds integer DEFAULT 5000) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
      $$ INSERT INTO net.http_request_queue (url, body, headers) VALUES ($1, $2, $4) RETURNING id $$;
    GRANT USAGE ON SCHEMA net TO PUBLIC`);
}

interface Queued {
  readonly id: string;
  readonly url: string;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends what is queued, each once, and writes what was answered. Returns the statuses. */
export async function relayRequests(database: MigratedDatabase): Promise<number[]> {
  const queued = await database.query<Queued & Record<string, unknown>>(
    'DELETE FROM net.http_request_queue RETURNING *',
  );
  const statuses: number[] = [];
  for (const { id, url, body, headers } of queued) {
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
    const values = [id, answer.status, await answer.text()];
    await database.query('INSERT INTO net._http_response VALUES ($1, $2, $3)', values);
    statuses.push(answer.status);
  }
  return statuses;
}

const sendAndPrint =
  'const r=JSON.parse(Buffer.from(process.argv[1],"base64"));' +
  'const h=Object.fromEntries(r.headers.map(({field,value})=>[field,value]));' +
  'fetch(r.uri,{method:r.method,headers:{...h,"content-type":r.content_type},body:r.content}).then(async(a)=>' +
  'console.log(Buffer.from(JSON.stringify({status:a.status,content:await a.text()})).toString("base64")))';

/** `http(http_request)` in a schema of its own, as where extensions are kept apart. */
export async function standInForHttp(database: MigratedDatabase): Promise<void> {
  const command = `'${process.execPath}' -e '${sendAndPrint}' `;
  await database.query(`
    CREATE SCHEMA plugins;
    CREATE TYPE plugins.http_header AS (field varchar, value varchar);
    CREATE TYPE plugins.http_request AS (method text, uri varchar, headers plugins.http_header[], content_type varchar, content varchar);
    CREATE TYPE plugins.http_response AS (status integer, content_type varchar, headers plugins.http_header[], content varchar);
    CREATE FUNCTION plugins.http(request plugins.http_request) RETURNS plugins.http_response
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
    DECLARE
      answer jsonb;
    BEGIN
      CREATE TEMP TABLE answered (line text) ON COMMIT DROP;
      EXECUTE format('COPY pg_temp.answered FROM PROGRAM %L',
        $c$${command}$c$ || replace(encode(convert_to(to_json(request)::text, 'UTF8'), 'base64'), E'\\n', ''));
      SELECT convert_from(decode(line, 'base64'), 'UTF8')::jsonb INTO answer FROM pg_temp.answered;
      DROP TABLE pg_temp.answered;
      RETURN ((answer ->> 'status')::integer, 'application/json', NULL, answer ->> 'content')::plugins.http_response;
    END
    $f$;
    GRANT USAGE ON SCHEMA plugins TO rowlock_owner`);
}
