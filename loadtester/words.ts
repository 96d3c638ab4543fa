/**
 * Splits a command into words where there is white space, without a shell, as Flagger does; so quotes
 * inside of words stay: `jsonpath={[?(@.type=="Ready")]}`. A word that begins with a quote reaches to
 * the same quote before white space or the end, and loses both: `'{"a": 1}'` is one word. (Flagger's
 * own documentation has such a command, which its load tester cannot run.)
 */
export function wordsOf(command: string): string[] {
  const words = /'([\s\S]*?)'(?=\s|$)|"([\s\S]*?)"(?=\s|$)|\S+/g;
  return [...command.matchAll(words)].map(([word, single, double]) => single ?? double ?? word);
}
