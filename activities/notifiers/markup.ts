const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text for a service that takes `<` for the beginning of a tag, a link or a mention. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => escapes[character] ?? character);
}
