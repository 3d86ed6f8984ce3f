/** The three policies of a bucket as people choose and see them. What they mean is decided in the database. */

import type { BucketPolicy } from '@rowlock/client';
import { element } from '../element.ts';
import { type IconName, icon } from '../icon.ts';

interface PolicyWords {
  readonly label: string;
  readonly icon: IconName;
  readonly explanation: string;
}

/** In the order of how many people read. */
export const policies: Readonly<Record<BucketPolicy, PolicyWords>> = {
  private: { label: 'Private', icon: 'lock', explanation: 'Only its owner, and whoever has a link.' },
  authenticated: { label: 'Shared', icon: 'people', explanation: 'Everybody who is signed in reads and writes.' },
  public: { label: 'Public', icon: 'globe', explanation: 'Anybody on the internet reads. Only you write.' },
};

/** A badge that names a policy. */
export function policyBadge(policy: BucketPolicy): HTMLElement {
  const words = policies[policy];
  return element('span', { class: `badge ${policy}`, title: words.explanation }, icon(words.icon), words.label);
}
