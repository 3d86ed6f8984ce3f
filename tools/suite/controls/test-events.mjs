/**
 * A reporter of node:test for programs: one line of JSON for every test that begins, is reported, passes or fails. It hides
 * nothing and prints nothing for people.
 */

/** Writes an event as a line; Node calls it with the stream of all events. */
// biome-ignore lint/style/noDefaultExport: Node takes a reporter from nowhere else
export default async function* testEvents(source) {
  for await (const { type, data } of source) {
    if (!['test:dequeue', 'test:start', 'test:pass', 'test:fail'].includes(type)) continue;
    const { name, nesting, skip, todo, details } = data;
    const error = details?.error;
    yield `${JSON.stringify({
      type,
      name,
      nesting,
      skip: skip !== undefined && skip !== false,
      todo: todo !== undefined && todo !== false,
      is_suite: details?.type === 'suite',
      failure: error?.failureType,
      message: String(error?.cause?.message ?? error?.message ?? '').slice(0, 500),
    })}\n`;
  }
}
