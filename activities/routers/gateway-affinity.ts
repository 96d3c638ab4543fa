import type { Canary, RequestMatch, SessionAffinity } from '../../domain/canary.js';
import type { Role } from '../../domain/release.js';
import { allToCanary, allToPrimary, type Routes } from '../../domain/routes.js';
import type { Split } from './router.js';

/** Session affinity by cookies that the gateway sets and looks at. */
export interface Affinity {
  /** Where clients with a cookie go, in the order in which rules are tried. */
  readonly sticky: readonly Sticky[];
  /** What clients without one are given. */
  readonly setCookies: SetCookies;
}

/** Where clients with a certain cookie go. */
export interface Sticky {
  /** The cookie as `name=value`. */
  readonly cookie: string;
  readonly routes: Routes;
  readonly setCookies: SetCookies;
}

/** The `Set-Cookie` header that the answers of a workload get. */
export type SetCookies = Readonly<Partial<Record<Role, string>>>;

/**
 * What keeps clients on the version they got first. While the canary has traffic, its answers set
 * a cookie that leads back to it, and the primary's one that lasts until the next step. When the
 * canary has none left, clients that still have its cookie are told to forget it.
 */
export function affinityOf({ analysis }: Canary, { routes, cookies }: Split): Affinity {
  const { sessionAffinity: affinity, intervalMs } = analysis;
  if (affinity === undefined) return { sticky: [], setCookies: {} };
  const { canary, primary, expired } = cookies;
  if (routes.canary === 0) {
    if (expired === undefined) return { sticky: [], setCookies: {} };
    const forget = setCookie(expired, -1, affinity);
    const setCookies = { primary: forget, canary: forget };
    return { sticky: [{ cookie: expired, routes, setCookies }], setCookies: {} };
  }
  const interval = Math.max(1, Math.trunc(intervalMs / 1_000));
  return {
    sticky: [
      ...(canary === undefined ? [] : [{ cookie: canary, routes: allToCanary, setCookies: {} }]),
      ...(primary === undefined ? [] : [{ cookie: primary, routes: allToPrimary, setCookies: {} }]),
    ],
    setCookies: {
      ...(canary === undefined ? {} : { canary: setCookie(canary, affinity.maxAge, affinity) }),
      ...(primary === undefined ? {} : { primary: setCookie(primary, interval, affinity) }),
    },
  };
}

/** A match for requests that carry a cookie, given as `name=value`. */
export function withCookie(cookie: string): RequestMatch {
  const [name = '', value = ''] = cookie.split('=', 2).map(escaped);
  return { headers: { Cookie: { regex: `.*${name}.*${value}.*` } } };
}

/** The filter of a backend that adds a cookie to its answers, beside those they have. */
export function setCookieFilter(value: string): object {
  return {
    type: 'ResponseHeaderModifier',
    responseHeaderModifier: { add: [{ name: 'Set-Cookie', value }] },
  };
}

/** A browser forgets a cookie only when it is named by the attributes it was set with. */
function setCookie(cookie: string, maxAge: number, attributes: SessionAffinity): string {
  const { domain, httpOnly, partitioned, path, sameSite, secure } = attributes;
  return [
    cookie,
    `Max-Age=${maxAge}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(partitioned ? ['Partitioned'] : []),
    ...(path === undefined ? [] : [`Path=${path}`]),
    ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
    ...(secure ? ['Secure'] : []),
  ].join('; ');
}

/** Names of cookies may have characters that mean something in patterns. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
