import type { EventText } from './moves.js';
import type { Names } from './names.js';

/**
 * Every sentence of a release's events. The words are an interface: people grep and alert on them,
 * so they are Flagger's, letter by letter (docs/reference/events.md).
 */
export const texts = {
  initialised: ({ canary }: Names) => normal(`Initialization done! ${canary}`),
  adopted: ({ canary }: Names) => normal(`Taken over from Flagger: ${canary}`),
  scalingUp: ({ target }: Names) => normal(`New revision detected! Scaling up ${target}`),
  restarting: ({ target }: Names) =>
    normal(`New revision detected! Restarting analysis for ${target}`),
  retrying: ({ target }: Names) => normal(`Retry requested! Restarting analysis for ${target}`),
  starting: ({ target }: Names) => normal(`Starting canary analysis for ${target}`),
  advanced: ({ canary }: Names, weight: number) =>
    normal(`Advance ${canary} canary weight ${weight}`),
  waiting: {
    rollout: ({ canary }: Names, gate: string) =>
      warning(`Halt ${canary} advancement waiting for approval ${gate}`),
    'traffic-increase': ({ canary }: Names, gate: string) =>
      warning(`Halt ${canary} advancement waiting for traffic increase approval ${gate}`),
    promotion: ({ canary }: Names, gate: string) =>
      warning(`Halt ${canary} advancement waiting for promotion approval ${gate}`),
  },
  holding: ({ canary }: Names, why: string) =>
    warning(`Holding ${canary} ${why}: waiting for a person to promote, retry or roll back`),
  recovering: ({ target, primaryWorkload }: Names) =>
    normal(
      `Restoring ${primaryWorkload}.${namespaceOf(target)} to its last promoted state after a failed promotion`,
    ),
  queued: ({ target }: Names, next: string, revision: string) =>
    warning(`Revision ${next} of ${target} waits until revision ${revision} has been released`),
  refused: ({ target }: Names, next: string, revision: string) =>
    warning(`Revision ${next} of ${target} refused while revision ${revision} is being released`),
  terminating: ({ canary }: Names) => normal(`Terminating canary ${canary}`),
  terminated: ({ canary }: Names) => normal(`Terminated canary ${canary}`),
  warning: (sentence: string) => warning(sentence),
  iterated: ({ canary }: Names, iteration: number, all: number) =>
    normal(`Advance ${canary} canary iteration ${iteration}/${all}`),
  allToCanary: () => normal('Routing all traffic to canary'),
  allFromMirrorToCanary: () => normal('Stop traffic mirroring and route all traffic to canary'),
  copying: ({ target, primaryWorkload }: Names) =>
    normal(`Copying ${target} template spec to ${primaryWorkload}.${namespaceOf(target)}`),
  allToPrimary: () => normal('Routing all traffic to primary'),
  advancedPrimary: ({ canary }: Names, weight: number) =>
    normal(`Advance ${canary} primary weight ${weight}`),
  promoted: ({ target }: Names) => normal(`Promotion completed! Scaling down ${target}`),
  promotedUnchecked: ({ target }: Names) =>
    normal(`Promotion completed! Canary analysis was skipped for ${target}`),
  rollingBack: ({ canary }: Names, why: string) => warning(`Rolling back ${canary} ${why}`),
  failed: ({ canary }: Names) => warning(`Canary failed! Scaling down ${canary}`),
  promotionFailed: ({ target }: Names, why: string) =>
    warning(`Promotion of ${target} failed, primary not ready: ${why}`),
} as const;

function normal(message: string): EventText {
  return { type: 'Normal', message };
}

function warning(message: string): EventText {
  return { type: 'Warning', message };
}

function namespaceOf(target: string): string {
  return target.slice(target.lastIndexOf('.') + 1);
}
