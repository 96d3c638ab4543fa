import process from 'node:process';

/**
 * Reads a number from the environment.
 * @param {string} name
 * @param {number} fallback used when the variable is unset or empty
 * @throws {Error} when the value is not a number of at least 0
 */
export function numberFromEnv(name, fallback) {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`${name} must be a number of at least 0, got "${text}"`);
  return value;
}

/** Whether the environment variable is `true` or `1`. */
export function flagFromEnv(name) {
  return ['true', '1'].includes(process.env[name] ?? '');
}
