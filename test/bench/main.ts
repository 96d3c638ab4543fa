/** `npm run bench -- NAME`: measures the whole product on a sandbox of its own. */
import { setMaxListeners } from 'node:events';
import { loadavg } from 'node:os';

import { benchMany } from './many.js';
import { benchRelease } from './release.js';

const benches: Readonly<
  Record<string, (args: readonly string[], signal: AbortSignal) => Promise<void>>
> = {
  release: benchRelease,
  many: benchMany,
};

process.exit(await main(process.argv.slice(2)));

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined) {
    console.error(
      `usage: npm run bench -- NAME (NAME is one of ${Object.keys(benches).join(', ')})`,
    );
    return 2;
  }
  const interruption = new AbortController();
  // Every pause of a bench listens to it.
  setMaxListeners(0, interruption.signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruption.abort(new Error('interrupted'));
    });
  }
  try {
    await bench(args, interruption.signal);
    console.log(`load average at the end: ${load()}`);
    return 0;
  } catch (error) {
    console.error(`bench ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
