/**
 * Acts with a signal that is aborted after `ms` (its reason is a `TimeoutError`) or with `outer`.
 * `AbortSignal.any` over `AbortSignal.timeout` would do, were it not that Node 20 may collect the
 * latter as garbage before it fires (https://github.com/nodejs/node/issues/54614).
 */
export async function within<T>(
  ms: number,
  outer: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort(outer.reason);
  const timer = setTimeout(() => {
    ending.abort(new DOMException(`not within ${ms / 1_000} s`, 'TimeoutError'));
  }, ms);
  if (outer.aborted) end();
  else outer.addEventListener('abort', end, { once: true });
  try {
    return await act(ending.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', end);
  }
}
