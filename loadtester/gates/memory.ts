import type { Gates } from './gates.js';

/** Gates that are closed again when the process ends, as Flagger's are. */
export function gatesInMemory(): Gates {
  const open = new Set<string>();
  return {
    isOpen: (key) => Promise.resolve(open.has(key)),
    open(key) {
      open.add(key);
      return Promise.resolve();
    },
    close(key) {
      open.delete(key);
      return Promise.resolve();
    },
  };
}
