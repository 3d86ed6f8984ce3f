/**
 * From a name to its command. What a machine waits for, again and again, is loaded alone; any other name loads all of them,
 * which takes longer than some of them run. It runs nothing.
 */
import type { Command } from './command.ts';

const alone: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serve,
  work: async () => (await import('./commands/serve.ts')).work,
};

/** Every command, in the order in which help shows them. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await import('./commands.ts')).commands;
}

/** The command of a name, or undefined. */
export async function commandOf(name: string): Promise<Command | undefined> {
  const load = Object.hasOwn(alone, name) ? alone[name] : undefined;
  return load === undefined ? (await allCommands()).find((each) => each.name === name) : await load();
}
