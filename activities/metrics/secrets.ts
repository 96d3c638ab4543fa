import type { ProviderConfig } from './provider.js';

/** As much of a back end's answer as is shown. */
const maxShownCharacters = 500;

/** Removes from a text what must not be shown, should a back end answer with what it was sent. */
export type Hide = (text: string) => string;

/** Hides these values, whether they are sent as they are, in JSON, in a URL or in base64. */
export function hiding(secrets: readonly string[]): Hide {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, form) => rest.replaceAll(form, '***'), text);
}

function formsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inJson, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
}

/** The beginning of an answer on one line, without secrets. */
export function excerpt(body: string, hide: Hide): string {
  return hide(body).replaceAll(/\s+/g, ' ').trim().slice(0, maxShownCharacters);
}

/** A value of the provider's Secret; throws an error that says what to put where. */
export function credential({ credentials }: ProviderConfig, key: string): string {
  if (credentials === undefined) throw new Error(`secretRef is missing, for a Secret with ${key}`);
  const value = credentials[key] ?? '';
  if (value === '') throw new Error(`${key} not found in the Secret`);
  return value;
}
