import { dependsOnPods } from './scenarios.js';
import type { Aim } from './trap.js';

/** Cases at a time: most of each is waiting, for Temporal to notice that the worker is gone. */
export const lanes = 8;

/** A side effect of a release, and on which side of it the worker dies. */
export interface CrashCase extends Aim {
  readonly name: string;
}

/**
 * The cases made of the side effects of a release in which no worker died.
 *
 * @param name of the release
 * @param known side effects of another release: what both begin with needs no cases again
 */
export function casesOf(
  name: string,
  effects: readonly string[],
  known: readonly string[] = [],
): CrashCase[] {
  const deeds = deedsOf(effects);
  const begin = deedsOf(known).findIndex((label, index) => label !== deeds[index]);
  // All deliveries to one place are made alike: the first and the last stand for them.
  const deliveries = delivered.flatMap((place) => {
    const all = numbered(effects.filter((label) => label.startsWith(place)));
    return [...all.slice(0, 1), ...all.slice(-1)];
  });
  return [
    ...numbered(deeds).slice(Math.max(0, begin)).filter(isNoRepetition),
    ...deliveries,
  ].flatMap(({ label, occurrence }) => {
    const which = occurrence === 1 ? label : `${label} (${occurrence})`;
    return (['before', 'after'] as const).map((moment) => ({
      ...{ label, occurrence, moment },
      name: `${name}: ${moment} ${which}`,
    }));
  });
}

/** How many cases there were and what came of them, for people. */
export function crashesOf(tests: readonly TestResult[]): string {
  const cases = tests.filter(({ title }) => /^[\w ]+: (before|after) /.test(title));
  const failed = cases.filter(({ status }) => status !== 'passed').length;
  return `crashes: ${cases.length} cases run, ${failed} failed`;
}

/** What Jest tells of one test. */
interface TestResult {
  readonly title: string;
  readonly status: string;
}

/** What a release does itself, one after the other; deliveries are made beside it. */
function deedsOf(effects: readonly string[]): readonly string[] {
  return effects.filter((label) => !isDelivery(label) && !dependsOnPods(label));
}

/** The webhook of type `event` and the chat service are called by the outbox. */
const delivered = ['hook listen: ', 'hook chat: '];

function isDelivery(label: string): boolean {
  return delivered.some((place) => label.startsWith(place));
}

/** A webhook is asked alike each time, and told of in the same words: the first time stands for all. */
function isNoRepetition({ label }: Numbered, index: number, all: readonly Numbered[]): boolean {
  return !/^(hook|event)/.test(label) || index === all.findIndex((other) => other.label === label);
}

type Numbered = Pick<Aim, 'label' | 'occurrence'>;

/** Which of the effects of its label each is: 1 for the first. */
function numbered(effects: readonly string[]): Numbered[] {
  return effects.map((label, index) => ({
    label,
    occurrence: effects.slice(0, index + 1).filter((other) => other === label).length,
  }));
}
