import { readFileSync } from 'node:fs';

import { Runtime } from '@temporalio/worker';

import { ConfigError, helpText, loadTemporalConfig, parseConfig } from './config.js';
import { jsonLogger, messageOf } from './log.js';
import { runWorker } from './run-worker.js';

// Not left to the event loop: what is still open after a failure must not keep a dead pod alive.
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const version = versionOfPackage();
  if (argv.some((word) => /^--?(help|h)$/.test(word))) {
    process.stdout.write(helpText());
    return 0;
  }
  if (argv.some((word) => /^--?version$/.test(word))) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  try {
    const config = parseConfig(argv, process.env);
    const log = jsonLogger(config.logLevel);
    Runtime.install({
      logger: log,
      telemetryOptions: {
        // Below that, the core tells of every call it repeats while Temporal is away.
        logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } },
        ...(config.temporalMetricsPort === 0
          ? {}
          : {
              metrics: {
                prometheus: { bindAddress: `0.0.0.0:${config.temporalMetricsPort}` },
              },
            }),
      },
      // The watch has to end before the worker does; see runWorker.
      shutdownSignals: [],
    });
    const temporal = loadTemporalConfig(process.env);
    await runWorker({ config, temporal, version, log, stop: stopSignal() });
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\nSee --help.\n`);
      return 2;
    }
    jsonLogger('error').error('the worker failed', { error: messageOf(error) });
    return 1;
  }
}

/** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      stopping.abort();
    });
  }
  return stopping.signal;
}

function versionOfPackage(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
