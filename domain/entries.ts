/** The entries of a record whose keys pass none of the tests. */
export function withoutKeys<T>(
  record: Readonly<Record<string, T>> = {},
  ...tests: readonly ((key: string) => boolean)[]
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).filter(([key]) => !tests.some((test) => test(key))),
  );
}

/** The entries of a record with the given keys, as far as it has them. */
export function pick<T>(
  record: Readonly<Record<string, T>> = {},
  ...keys: readonly string[]
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).filter(([key, value]) => keys.includes(key) && value !== undefined),
  );
}
