import type { Effect } from './effects.js';
import type { Call, Warden } from './proxy.js';

/** The side effect a worker dies of, and on which side of it. */
export interface Aim {
  readonly label: string;
  /** Which of the effects of that label: 1 for the first. */
  readonly occurrence: number;
  readonly moment: 'before' | 'after';
}

/** Notes the side effects on one app, and kills their worker at the one that is aimed at. */
export interface Trap {
  /** The side effects on the app since {@link set}, in the order they were made. */
  readonly effects: readonly string[];
  /** Whether the worker has been killed since {@link set}. */
  readonly struck: boolean;
  /** From now on it is this app; without an aim nobody dies. */
  readonly set: (app: string, aim?: Aim) => void;
  /** Guards calls; those that did not come to be `made`, by their status, are no side effects. */
  around(effectOf: (call: Call) => Effect | undefined, made: (status: number) => boolean): Warden;
}

/** A trap that is not set yet. */
export function trapOf(kill: () => void): Trap {
  let watched = '';
  let aim: Aim | undefined;
  let struck = false;
  let effects: string[] = [];

  const countOf = (label: string): number => effects.filter((other) => other === label).length;

  /** Whether this is the one: the effect aimed at, made for the `count`th time. */
  function strikes(moment: Aim['moment'], label: string, count: number): boolean {
    const hit = aim?.moment === moment && aim.label === label && aim.occurrence === count;
    if (!hit) return false;
    kill();
    struck = true;
    aim = undefined;
    return true;
  }

  return {
    get effects() {
      return effects;
    },
    get struck() {
      return struck;
    },
    set(app, next) {
      [watched, aim, struck, effects] = [app, next, false, []];
    },
    around: (effectOf, made) => ({
      lets(call) {
        const effect = effectOf(call);
        if (effect?.app !== watched) return true;
        return !strikes('before', effect.label, countOf(effect.label) + 1);
      },
      answers(call, status) {
        const effect = effectOf(call);
        if (effect?.app !== watched || !made(status)) return true;
        effects.push(effect.label);
        return !strikes('after', effect.label, countOf(effect.label));
      },
    }),
  };
}
