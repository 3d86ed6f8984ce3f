/**
 * Says why something was refused: the command, and the policies that it asks for the caller's role. For the service role
 * and for the log; what anybody else learns is in `refusals.ts`. What was found out is remembered for a moment, so that
 * many refusals cost the database no more than one.
 */
import type { Caller } from '../domain/caller.ts';
import { type PoliciesAsked, selectPolicies, type TriedAction } from '../metadata/policies.ts';
import type { OperationContext } from './context.ts';

/** What was tried with rows of a table of the schema `storage`, any of which may have been refused. */
export interface TriedActions {
  readonly table: 'objects' | 'buckets' | 'object_history';
  readonly actions: readonly TriedAction[];
}

export interface Explanation {
  /** One sentence for each command. */
  readonly text: string;
  /** Whether the caller may be told. */
  readonly isForCaller: boolean;
}

/** How long an explanation is good for, in milliseconds, and how many are remembered. */
const freshForMs = 5000;
const rememberedMax = 200;

/** Explains refusals of one process. */
export class RefusalExplainer {
  readonly #context: Pick<OperationContext, 'db'>;
  readonly #known = new Map<string, { readonly at: number; readonly explanation: Promise<Explanation> }>();

  constructor(context: Pick<OperationContext, 'db'>) {
    this.#context = context;
  }

  /** Explains a refusal. Never fails: where the database cannot be asked, it says so. */
  explain(caller: Caller, tried: TriedActions): Promise<Explanation> {
    const key = JSON.stringify([caller.role, tried.table, tried.actions]);
    const known = this.#known.get(key);
    if (known !== undefined && performance.now() - known.at < freshForMs) return known.explanation;
    const explanation = this.#ask(caller.role, tried);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= rememberedMax && oldest !== undefined) this.#known.delete(oldest);
    this.#known.delete(key);
    this.#known.set(key, { at: performance.now(), explanation });
    return explanation;
  }

  async #ask(role: string, { table, actions }: TriedActions): Promise<Explanation> {
    const about = `as ${role} on storage.${table}`;
    try {
      const asked = await selectPolicies(this.#context.db, role, table, actions);
      return {
        text: `${about}: ${asked.map(sentence).join('; ')}`,
        isForCaller: asked.some((each) => each.asked_by_service),
      };
    } catch {
      return { text: `${about}: ${actions.join(' or ')}; the policies could not be asked`, isForCaller: false };
    }
  }
}

function sentence({ command, may_at_all, policies, restrictive }: PoliciesAsked): string {
  if (!may_at_all) return `${command} is not granted to the role`;
  if (policies.length === 0) return `no policy for ${command} names the role, so every row is refused`;
  const all = restrictive.length === 0 ? '' : `, and all of ${restrictive.join(', ')}`;
  return `${command} needs one of ${policies.join(', ')}${all}`;
}

export type { TriedAction } from '../metadata/policies.ts';
