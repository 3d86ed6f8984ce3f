/**
 * The name of the schema that holds River's tables, checked once and then carried as a value of its own type. It knows
 * nothing of the tables. Whatever is built into SQL text or into the name of a channel comes from here.
 */
import { QueueError } from './queue-error.ts';

/** A schema's name that has been checked. */
export interface SchemaName {
  readonly name: string;
  /** The name as an identifier in SQL. */
  readonly quoted: string;
}

const known = new Map<string, SchemaName>();

/**
 * Checks a schema's name by River's rule and returns the same value for the same name.
 *
 * Letters, digits and underscores; at most 46 characters, so that `<schema>.river_leadership` is still an identifier.
 *
 * @throws QueueError `invalid_schema_name`
 */
export function schemaName(name: string): SchemaName {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,45}$/.test(name)) {
    throw new QueueError('invalid_schema_name', `No name for a schema of River: ${JSON.stringify(name.slice(0, 100))}`);
  }
  const checked: SchemaName = { name, quoted: `"${name}"` };
  known.set(name, checked);
  return checked;
}

/** The topics that River notifies about. */
export type Topic = 'river_insert' | 'river_control' | 'river_leadership';

/** Names the channel of a topic: `<schema>.<topic>`, one identifier with a point in it. */
export function channelName(schema: SchemaName, topic: Topic): string {
  return `${schema.name}.${topic}`;
}
