/**
 * What a fault proxy may do: to a statement, at the n-th that matches or by chance with a seed, and to connections as a
 * whole. It moves no bytes. Invariant: the same plan over the same statements always strikes the same ones.
 */
import type { SeededRandom } from './seeded-random.ts';

/** A statement that a client sent: one Query, or everything up to one Sync. */
export interface SeenStatement {
  /** SQL; of a prepared statement, the SQL that was prepared. */
  readonly text: string;
  /** Place among the statements of all connections, from 1. */
  readonly place: number;
  /** Place among those of its own connection, from 1. */
  readonly place_in_connection: number;
  readonly connection: number;
  readonly user: string;
  readonly application_name: string;
}

/** A connection through a proxy. */
export interface SeenConnection {
  /** Place among all connections, from 1. */
  readonly number: number;
  readonly user: string;
  readonly application_name: string;
  /** SQL of every statement that was sent so far. */
  readonly texts: ReadonlySet<string>;
}

/** Which way a frozen connection carries nothing any more. */
export type FrozenDirection = 'both' | 'to_server' | 'to_client';

/** Connections that carry nothing any more, and stay open: half-open ones. */
export interface FreezePlan {
  readonly direction: FrozenDirection;
  /** Which of the connections that are there. Default: all. */
  readonly matching?: (connection: SeenConnection) => boolean;
}

/** Connections that were frozen. */
export interface Frozen {
  readonly connections: readonly SeenConnection[];
  /** Lets them go on, with what was sent meanwhile first. */
  thaw(): void;
}

/**
 * What happens to a statement.
 *
 * `cut_before`: the connection ends and the server never sees it. `reset`: the same with a TCP reset. `cut_after`: the
 * server has answered and the client never hears, a lost acknowledgement. `truncate`: the client hears half of the
 * answer. `terminate`: the server's own end of this connection is killed first, with pg_terminate_backend. `error`: the
 * server refuses the statement, and the client is told this SQLSTATE. `delay`: it reaches the server later.
 * `black_hole`: it and all that follows is swallowed, and the connection stays open.
 */
export type Fault =
  | { readonly kind: 'cut_before' | 'reset' | 'cut_after' | 'truncate' | 'terminate' | 'black_hole' }
  | { readonly kind: 'error'; readonly sqlstate: string }
  | { readonly kind: 'delay'; readonly ms: number };

export interface FaultPlan {
  /** Strikes the n-th statement that matches, from 1. */
  readonly at: number;
  readonly fault: Fault;
  /** Which statements count. Default: all. */
  readonly matching?: (statement: SeenStatement) => boolean;
}

/** A plan that was given to a proxy. */
export interface ArmedFault {
  /** How many statements matched so far. */
  readonly matched: number;
  /** The statement that was struck. */
  readonly struck: SeenStatement | undefined;
  disarm(): void;
}

/** Faults by chance, for long runs. */
export interface FaultChances {
  readonly random: SeededRandom;
  /** The share of statements that are struck, from 0 to 1. */
  readonly rate: number;
  readonly faults: readonly Fault[];
  readonly matching?: (statement: SeenStatement) => boolean;
}

/** Tells what happens to each statement. */
export class FaultDecider {
  #armed: { plan: FaultPlan; state: { matched: number; struck: SeenStatement | undefined } } | undefined;
  #chances: FaultChances | undefined;

  arm(plan: FaultPlan): ArmedFault {
    const state: { matched: number; struck: SeenStatement | undefined } = { matched: 0, struck: undefined };
    const armed = { plan, state };
    this.#armed = armed;
    return {
      get matched() {
        return state.matched;
      },
      get struck() {
        return state.struck;
      },
      disarm: () => {
        if (this.#armed === armed) this.#armed = undefined;
      },
    };
  }

  leaveToChance(chances: FaultChances | undefined): void {
    this.#chances = chances;
  }

  decide(statement: SeenStatement): Fault | undefined {
    return this.#planned(statement) ?? this.#byChance(statement);
  }

  #planned(statement: SeenStatement): Fault | undefined {
    if (this.#armed === undefined) return undefined;
    const { plan, state } = this.#armed;
    if (state.struck !== undefined || !(plan.matching?.(statement) ?? true)) return undefined;
    state.matched += 1;
    if (state.matched !== plan.at) return undefined;
    state.struck = statement;
    return plan.fault;
  }

  #byChance(statement: SeenStatement): Fault | undefined {
    if (this.#chances === undefined) return undefined;
    const { random, rate, faults, matching } = this.#chances;
    if (!(matching?.(statement) ?? true) || random.next() >= rate) return undefined;
    return random.pick(faults);
  }
}
