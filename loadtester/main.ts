import { readFileSync } from 'node:fs';

import { jsonLogger, messageOf } from '../worker/log.js';
import { parseConfig, Said } from './config.js';
import { runLoadTester } from './run.js';

// Not left to the event loop: what is still open after a failure must not keep a dead pod alive.
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const version = versionOfPackage();
  const stop = new AbortController();
  const hurry = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) hurry.abort();
      else stop.abort();
    });
  }
  try {
    const config = parseConfig(argv, version);
    const log = jsonLogger(config.logLevel);
    const signals = { stop: stop.signal, hurry: hurry.signal };
    await runLoadTester({ config, version, log, ...signals });
    return hurry.signal.aborted ? 1 : 0;
  } catch (error) {
    if (error instanceof Said) return error.exitCode;
    jsonLogger('error').error('the load tester failed', { error: messageOf(error) });
    return 1;
  }
}

function versionOfPackage(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
