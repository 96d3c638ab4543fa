import type { Kube } from '../../activities/kube.js';

/** How many calls an API server has had, by verb and resource; watches are left out. */
export type Calls = ReadonlyMap<string, number>;

/** Reads the counters of the API server. */
export async function callsOf(kube: Kube): Promise<Calls> {
  const text = String(await kube.get('/metrics'));
  const calls = new Map<string, number>();
  for (const [, labels = '', value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const { verb, resource, subresource } = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, said]) => [name, said]),
    ) as Record<string, string>;
    if (verb === 'WATCH') continue;
    const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    calls.set(what, (calls.get(what) ?? 0) + Number(value));
  }
  return calls;
}

/** The calls between two moments. */
export function callsBetween(before: Calls, after: Calls): Calls {
  return new Map([...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)]));
}

/** How many there were for each release, the most frequent first. */
export function callsText(calls: Calls, releases: number): string {
  const all = [...calls].sort(([, one], [, other]) => other - one);
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  const perRelease = (count: number): string => (count / releases).toFixed(1);
  const some = all
    .filter(([, count]) => count >= releases / 2)
    .map(([what, count]) => `${what} ${perRelease(count)}`);
  return `${perRelease(total)} (${some.join(', ')})`;
}
