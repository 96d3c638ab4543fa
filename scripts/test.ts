/**
 * `npm test [-- SUITE ...]`: every suite, or the named ones, one after the other; ends with the
 * line `N passed, N failed, N skipped` over all of them.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Forward } from '../sandbox/forwards.js';
import { PARTS, type Part } from '../sandbox/parts.js';
import { startSandbox } from '../sandbox/sandbox.js';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Suite = () => Promise<Counts>;

/** The parts of a sandbox that stay out of the way of tests that act as the worker themselves. */
const quietParts: readonly Part[] = ['temporal'];

/** Lets tests on the host steer the load generator. */
const load: Forward = { name: 'load', target: 'load.demo:80', preferredPort: 0 };

const suites: Readonly<Record<string, readonly Suite[]>> = {
  check: [
    command('types', 'tsc', ['--noEmit']),
    command('lint', 'eslint', ['.']),
    command('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
  ],
  domain: [jest('domain')],
  cluster: [inSandbox(quietParts, jest('workflows'), jest('cluster'))],
  // One after the other: some of these tests kill what the others need.
  e2e: [inSandbox(PARTS, jest('e2e', '--runInBand'))],
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(', ')}: use ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}

let total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, parts] of Object.entries(suites)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const begun = Date.now();
  for (const suite of parts) total = add(total, await suite());
  console.log(`\n[${name}] took ${String(Math.round((Date.now() - begun) / 1_000))} s`);
}
const { passed, failed, skipped } = total;
console.log(`\n${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

/** A command that counts as one test. */
function command(name: string, program: string, args: readonly string[]): Suite {
  return async () => {
    const code = await run(program, args);
    console.log(`${code === 0 ? 'PASS' : 'FAIL'} ${name}`);
    return code === 0 ? count(1, 0) : count(0, 1);
  };
}

/** One project of jest.config.js. */
function jest(project: string, ...flags: readonly string[]): Suite {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    const outputFile = join(folder, 'result.json');
    try {
      const code = await run(
        process.execPath,
        [
          ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
          ...['node_modules/jest/bin/jest.js', '--selectProjects', project, ...flags],
          ...['--json', `--outputFile=${outputFile}`, '--forceExit', '--testTimeout=60000'],
        ],
        ['ignore', 'ignore', 'inherit'],
      );
      return await resultOf(outputFile, code);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

/** Runs suites while a sandbox is up; what it is reached by is in the environment. */
function inSandbox(parts: readonly Part[], ...inner: readonly Suite[]): Suite {
  return async () => {
    const name = `test-${String(process.pid)}`;
    const sandbox = await startSandbox({
      name,
      parts,
      forwards: [load],
      report: (line) => console.error(line),
    });
    Object.assign(process.env, {
      SLUICE_SANDBOX_NAME: name,
      KUBECONFIG: sandbox.kubeconfig,
      TEMPORAL_ADDRESS: sandbox.urls.temporal,
      PROMETHEUS_URL: sandbox.urls.prometheus,
      LOAD_URL: `http://127.0.0.1:${String(sandbox.ports[load.name])}`,
    });
    try {
      let counts = count(0, 0);
      for (const suite of inner) counts = add(counts, await suite());
      return counts;
    } finally {
      await sandbox.stop();
    }
  };
}

/** A run that broke off before it could count has failed, whatever it had printed. */
async function resultOf(file: string, code: number): Promise<Counts> {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(
      await readFile(file, 'utf8'),
    ) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
      success: boolean;
    };
    const broken = !success && numFailedTests === 0 ? 1 : 0;
    return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests };
  } catch {
    console.error(`the test run broke off (exit code ${String(code)})`);
    return count(0, 1);
  }
}

function run(
  program: string,
  args: readonly string[],
  stdio: ('ignore' | 'inherit')[] = ['ignore', 'inherit', 'inherit'],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

function count(passed: number, failed: number): Counts {
  return { passed, failed, skipped: 0 };
}

function add(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}
