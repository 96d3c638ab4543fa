import type { Report, StatusPatch } from './moves.js';
import type { ReleaseState } from './release.js';

/** A report under the key that belongs to the next move of a release. */
export function report(state: ReleaseState, content: Omit<Report, 'key'>): Report {
  return { key: String(state.reports), ...content };
}

/** The status of a canary whose release has just begun. */
export const started: StatusPatch = {
  phase: 'Progressing',
  canaryWeight: 0,
  failedChecks: 0,
  iterations: 0,
};
