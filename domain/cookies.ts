import type { CanaryStatus } from './canary.js';
import type { StatusPatch } from './moves.js';
import type { Plan, ReleaseState } from './release.js';
import type { Cookies, Routes } from './routes.js';

/**
 * The cookies that belong to a split of the traffic. As long as the canary has traffic, clients keep
 * the cookies they were given; once it has none, the canary's is taken back from them.
 *
 * @param seed makes the cookies of two releases differ
 */
export function cookiesWith(
  { affinity }: Plan,
  { cookies }: Pick<ReleaseState, 'cookies'>,
  { canary: weight }: Routes,
  seed: string,
): Cookies {
  if (affinity === undefined) return {};
  const { canary, primary, expired } = cookies;
  if (weight === 0) {
    const last = canary ?? expired;
    return {
      ...(primary === undefined ? {} : { primary }),
      ...(last === undefined ? {} : { expired: last }),
    };
  }
  const { cookieName, primaryCookieName } = affinity;
  return {
    canary: canary ?? `${cookieName}=${letters(seed)}`,
    ...(primaryCookieName === undefined
      ? {}
      : { primary: primary ?? `${primaryCookieName}=${letters(`${seed}/primary`)}` }),
    ...(expired === undefined ? {} : { expired }),
  };
}

/** What `Canary.status` shows of the cookies. */
export function cookieStatus(
  { affinity }: Plan,
  { canary, primary, expired }: Cookies,
): StatusPatch {
  if (affinity === undefined) return {};
  return {
    sessionAffinityCookie: canary ?? '',
    ...(primary === undefined ? {} : { primarySessionAffinityCookie: primary }),
    ...(expired === undefined ? {} : { previousSessionAffinityCookie: expired }),
  };
}

/** The cookies that `Canary.status` shows. */
export function cookiesOf({
  sessionAffinityCookie: canary = '',
  primarySessionAffinityCookie: primary = '',
  previousSessionAffinityCookie: expired = '',
}: CanaryStatus): Cookies {
  return {
    ...(canary === '' ? {} : { canary }),
    ...(primary === '' ? {} : { primary }),
    ...(expired === '' ? {} : { expired }),
  };
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Ten letters that follow from the seed: a cookie has to differ from others, not to be secret. */
function letters(seed: string): string {
  let hash = 0x811c9dc5;
  const mix = (text: string): void => {
    // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
    for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  };
  mix(seed);
  return Array.from({ length: 10 }, (_, index) => {
    mix(String(index));
    return alphabet[hash % alphabet.length];
  }).join('');
}
