/**
 * The application's server: its rows under `/api`, and the built page. Files never pass through here: the page sends them
 * to Rowlock with the same token. In development it also signs its few people in, for requests of this machine only.
 */
import { createServer } from 'node:http';
import { Potholes } from './potholes.mjs';
import { createSite } from './site.mjs';
import { claimsOf, signToken } from './tokens.mjs';

const bodyBytesMax = 10_000;
const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/**
 * Starts the server on the loopback.
 *
 * `people` are who may sign in without a password; none in production, where an identity provider issues the tokens.
 */
export async function startApplication({ port, folder, rowlockUrl, databaseUrl, jwtSecret, people }) {
  const potholes = new Potholes(databaseUrl);
  const site = createSite(folder, rowlockUrl);
  const server = createServer((request, response) => {
    const isApi = request.url.startsWith('/api/');
    const answered = isApi
      ? answerApi(request, response, { potholes, rowlockUrl, jwtSecret, people })
      : site(request, response);
    answered.catch((error) => refuse(response, error));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await potholes.close();
    },
  };
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** What is wrong with a value of the caller's is theirs to know; what else is wrong goes to the log. */
function refuse(response, error) {
  const isTheirs = error.code === '23514' || error.code === '22P02' || error.code === '22003';
  const status = error instanceof Refusal ? error.status : isTheirs ? 400 : 500;
  if (status === 500) console.error(error);
  const message = error instanceof Refusal ? error.message : isTheirs ? 'That is no valid value' : 'Something failed';
  if (!response.headersSent) send(response, status, { message });
  else response.destroy();
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** Other sites can send no JSON here: their browsers ask first, and nobody answers that they may. */
async function jsonOf(request) {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) throw new Refusal(415, 'Send JSON');
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > bodyBytesMax) throw new Refusal(413, 'That is too much');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'That is no JSON');
  }
}

async function answerApi(request, response, { potholes, rowlockUrl, jwtSecret, people }) {
  if (!loopback.test(request.headers.host ?? '')) throw new Refusal(403, 'This server is for this machine');
  const { pathname } = new URL(request.url, 'http://api');
  const route = `${request.method} ${pathname}`;
  if (route === 'GET /api/configuration') return send(response, 200, { rowlockUrl, people });
  if (route === 'POST /api/session') return await signIn(request, response, { people, jwtSecret });
  const claims = await claimsOf(jwtSecret, request.headers.authorization);
  if (claims === undefined) throw new Refusal(401, 'Sign in first');
  if (route === 'GET /api/potholes') return send(response, 200, await potholes.list(claims));
  if (route === 'POST /api/potholes') {
    const { title } = await jsonOf(request);
    return send(response, 201, await potholes.add(claims, String(title ?? '').trim()));
  }
  const [, id] = /^\/api\/potholes\/(\d{1,18})$/.exec(pathname) ?? [];
  if (id === undefined) throw new Refusal(404, 'There is nothing here');
  return send(response, 200, await changeReport(request, { potholes, claims, id }));
}

async function changeReport(request, { potholes, claims, id }) {
  const change = {
    PATCH: async () => await potholes.publish(claims, id, (await jsonOf(request)).isPublic === true),
    DELETE: async () => await potholes.remove(claims, id),
  }[request.method];
  if (change === undefined) throw new Refusal(405, 'That cannot be done here');
  const row = await change();
  if (row === undefined) throw new Refusal(404, 'There is no such report of yours');
  return row;
}

async function signIn(request, response, { people, jwtSecret }) {
  const { person } = await jsonOf(request);
  if (!people.includes(person)) throw new Refusal(403, 'Nobody of that name signs in here');
  send(response, 200, { person, token: await signToken(jwtSecret, person) });
}
