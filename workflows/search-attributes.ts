import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';

import type { ReleaseState } from '../domain/release.js';

/** What releases can be searched by; the starter sets cluster, namespace and canary. */
export const searchAttributes = {
  cluster: defineSearchAttributeKey('SluiceCluster', SearchAttributeType.KEYWORD),
  namespace: defineSearchAttributeKey('SluiceNamespace', SearchAttributeType.KEYWORD),
  canary: defineSearchAttributeKey('SluiceCanary', SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey('SluicePhase', SearchAttributeType.KEYWORD),
  revision: defineSearchAttributeKey('SluiceRevision', SearchAttributeType.KEYWORD),
  outcome: defineSearchAttributeKey('SluiceOutcome', SearchAttributeType.KEYWORD),
} as const;

/** Keeps the search attributes up with a release; an upsert is an event, so only when they change. */
export function searchAttributesWriter(): (state: ReleaseState) => void {
  let written = '';
  return ({ phase, revision, outcome }) => {
    const current = JSON.stringify([phase, revision, outcome]);
    if (current === written) return;
    written = current;
    upsertSearchAttributes([
      { key: searchAttributes.phase, value: phase },
      { key: searchAttributes.revision, value: revision },
      { key: searchAttributes.outcome, value: outcome ?? null },
    ]);
  };
}
