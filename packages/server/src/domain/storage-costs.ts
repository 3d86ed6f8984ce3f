/**
 * Usage times prices: what a month costs at each place. It reads neither the database nor a file. Storage is counted in
 * gigabytes of 10^9 bytes, as bills do; requests, taxes and free tiers are not in it.
 */

/** Where bytes can be, and what that costs. */
export interface Place {
  /** Short, as it is written in a command. */
  readonly name: string;
  readonly title: string;
  /** For a gigabyte (10^9 bytes) and a month. */
  readonly storage_gb_month: number;
  /** For a gigabyte that leaves. */
  readonly egress_gb: number;
}

export interface Prices {
  /** When they were true. */
  readonly as_of: string;
  readonly currency: string;
  readonly places: readonly Place[];
}

/** What is kept for how long a month, and what leaves in it. */
export interface Usage {
  readonly bytes: number;
  readonly egress_bytes: number;
}

/** In the currency of the prices, a month. */
export interface Estimate {
  readonly name: string;
  readonly title: string;
  readonly storage: number;
  readonly egress: number;
  readonly total: number;
}

const gigabyte = 1e9;

/** One estimate for each place, the cheapest first. Amounts are not rounded. */
export function estimateCosts(prices: Prices, usage: Usage): readonly Estimate[] {
  return prices.places
    .map((place) => {
      const storage = (usage.bytes / gigabyte) * place.storage_gb_month;
      const egress = (usage.egress_bytes / gigabyte) * place.egress_gb;
      return { name: place.name, title: place.title, storage, egress, total: storage + egress };
    })
    .sort((a, b) => a.total - b.total);
}
