/** What is shorter is no secret, such as `1` and `true`, and would garble what it is masked in. */
const shortest = 6;

/** Puts `***` where the secrets are in a text. */
export function masked(text: string, secrets: readonly string[]): string {
  // The longest first: one may be a part of another.
  return [...secrets]
    .filter((secret) => secret.length >= shortest)
    .sort((one, other) => other.length - one.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}
