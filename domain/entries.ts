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

/** The named fields of an object, as far as it has them. */
export function only<T extends object, K extends keyof T & string>(
  object: T,
  ...keys: readonly K[]
): Pick<T, K> {
  const isWanted = (key: string): boolean => keys.some((wanted) => wanted === key);
  return Object.fromEntries(Object.entries(object).filter(([key]) => isWanted(key))) as Pick<T, K>;
}

/** Leaves out the keys that hold undefined, so that spreading the rest keeps defaults. */
export function defined<T extends object>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
