/**
 * `npm test [-- SUITE ...]`: every suite, or the named ones, one after the other; ends with the
 * line `N passed, N failed, N skipped` over all of them.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Forward } from '../sandbox/forwards.js';
import { OPTIONAL_PARTS, PARTS, type Part } from '../sandbox/parts.js';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.js';
import { provideTools } from '../sandbox/tools/provide.js';
import type { ToolName } from '../sandbox/tools/table.js';
import { summaryOf } from '../test/conformance/verdicts.js';
import { crashesOf, lanes } from '../test/crash/cases.js';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Run = () => Promise<Counts>;

/** A sandbox for tests: what is up in it. */
interface Stage {
  readonly parts: readonly Part[];
  readonly images: readonly string[];
  /** What the host reaches besides, by names of the tests'. */
  readonly forwards?: readonly Forward[];
}

interface Suite {
  readonly name: string;
  readonly runs: readonly Run[];
  readonly stage?: Stage;
  /** What is built before it begins, where no test waits for it and its progress is seen. */
  readonly tools?: readonly ToolName[];
  /** Run only when it is named: what it needs takes many minutes to build. */
  readonly isExtra?: true;
}

/** What stays out of the way of tests that act as the worker themselves, or run it. */
const quiet: Stage = { parts: ['temporal'], images: ['test/conformance/images.json'] };

/** What metric providers are asked in. */
const measured: Stage = { parts: ['prometheus'], images: quiet.images };

const whole: Stage = { parts: PARTS, images: [] };

/** The Services of the gateways that nothing else needs. */
const gatewayServices: Readonly<Record<(typeof OPTIONAL_PARTS)[number], string>> = {
  traefik: 'traefik.traefik',
  skipper: 'skipper.skipper',
  istio: 'istio-ingressgateway.istio-system',
};

/** Those gateways, one beside the other. */
const gateways: Stage = {
  parts: [...PARTS.filter((part) => part !== 'contour'), ...OPTIONAL_PARTS],
  images: [],
  forwards: OPTIONAL_PARTS.map((name) => ({
    name,
    target: `${gatewayServices[name]}:80`,
    preferredPort: 0,
  })),
};

/** Lets tests on the host steer the load generator. */
const load: Forward = { name: 'load', target: 'load.demo:80', preferredPort: 0 };

/** In the order they are run; neighbours share a sandbox of the same stage. */
const suites: readonly Suite[] = [
  {
    name: 'check',
    runs: [
      command('types', 'tsc', ['--noEmit']),
      command('lint', 'eslint', ['.']),
      command('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
    ],
  },
  { name: 'domain', runs: [jest('domain')] },
  { name: 'providers', stage: measured, runs: [jest('providers')] },
  { name: 'cluster', stage: quiet, runs: [jest('workflows'), jest('cluster')] },
  {
    name: 'conformance',
    stage: quiet,
    runs: [jest('conformance', { sum: (tests) => summaryOf(tests.map(({ title }) => title)) })],
  },
  {
    name: 'crash',
    stage: quiet,
    runs: [jest('crash', { flags: [`--maxConcurrency=${lanes}`], sum: crashesOf })],
  },
  { name: 'loadtester', stage: quiet, runs: [jest('loadtester')] },
  {
    ...{ name: 'loadtools', isExtra: true },
    stage: quiet,
    tools: ['k6', 'ghz', 'helm'],
    runs: [jest('loadtools')],
  },
  { name: 'routers', stage: quiet, runs: [jest('routers')] },
  {
    ...{ name: 'meshes', isExtra: true },
    tools: ['kuma-cp', 'envoy'],
    runs: [jest('meshes', { flags: ['--runInBand'] })],
  },
  // One after the other: some of these tests kill what the others need.
  { name: 'e2e', stage: whole, runs: [jest('e2e', { flags: ['--runInBand'] })] },
  { name: 'planes', stage: whole, runs: [jest('planes', { flags: ['--runInBand'] })] },
  {
    ...{ name: 'gateways', isExtra: true },
    stage: gateways,
    runs: [jest('gateways', { flags: ['--runInBand'] })],
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((word) => !suites.some(({ name }) => name === word));
if (unknown.length > 0) {
  const names = suites.map(({ name }) => name);
  console.error(`unknown suite ${unknown.join(', ')}: use ${names.join(', ')}`);
  process.exit(2);
}

const { passed, failed, skipped } = await runAll(
  suites.filter(({ name, isExtra = false }) =>
    wanted.length === 0 ? !isExtra : wanted.includes(name),
  ),
);
console.log(`\n${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

interface Up {
  readonly stage: Stage;
  readonly sandbox: Sandbox;
}

async function runAll(chosen: readonly Suite[]): Promise<Counts> {
  let total = count(0, 0);
  let up: Up | undefined;
  try {
    for (const { name, runs, stage, tools = [] } of chosen) {
      const begun = Date.now();
      await provideTools(tools, { report });
      if (up?.stage !== stage) {
        await up?.sandbox.stop();
        up = undefined;
        up = stage && { stage, sandbox: await setUp(stage) };
      }
      for (const run of runs) total = add(total, await run());
      console.log(`\n[${name}] took ${String(Math.round((Date.now() - begun) / 1_000))} s`);
    }
  } finally {
    await up?.sandbox.stop();
  }
  return total;
}

/** Starts a sandbox; what it is reached by is in the environment from then on. */
async function setUp({ parts, images, forwards = [] }: Stage): Promise<Sandbox> {
  const name = `test-${String(process.pid)}`;
  const sandbox = await startSandbox({
    ...{ name, parts, images },
    forwards: [load, ...forwards],
    report,
  });
  Object.assign(process.env, {
    SLUICE_SANDBOX_NAME: name,
    KUBECONFIG: sandbox.kubeconfig,
    TEMPORAL_ADDRESS: sandbox.urls.temporal,
    PROMETHEUS_URL: sandbox.urls.prometheus,
    LOAD_URL: `http://127.0.0.1:${String(sandbox.ports[load.name])}`,
  });
  return sandbox;
}

function report(line: string): void {
  console.error(line);
}

/** A command that counts as one test. */
function command(name: string, program: string, args: readonly string[]): Run {
  return async () => {
    const code = await run(program, args);
    console.log(`${code === 0 ? 'PASS' : 'FAIL'} ${name}`);
    return code === 0 ? count(1, 0) : count(0, 1);
  };
}

interface JestOptions {
  readonly flags?: readonly string[];
  /** What is to be said of all tests, by their names and what came of them. */
  readonly sum?: (tests: readonly TestResult[]) => string;
}

/** One project of jest.config.js. */
function jest(project: string, { flags = [], sum }: JestOptions = {}): Run {
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
      const { counts, tests } = await resultOf(outputFile, code);
      if (sum !== undefined) console.log(`\n${sum(tests)}`);
      return counts;
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

/** A run that broke off before it could count has failed, whatever it had printed. */
async function resultOf(
  file: string,
  code: number,
): Promise<{ readonly counts: Counts; readonly tests: readonly TestResult[] }> {
  try {
    const result = JSON.parse(await readFile(file, 'utf8')) as JestResult;
    const { numPassedTests, numFailedTests, numPendingTests, success } = result;
    const broken = !success && numFailedTests === 0 ? 1 : 0;
    return {
      counts: { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests },
      tests: result.testResults.flatMap(({ assertionResults }) => assertionResults),
    };
  } catch {
    console.error(`the test run broke off (exit code ${String(code)})`);
    return { counts: count(0, 1), tests: [] };
  }
}

/** The part of what Jest writes with `--json` that is read here. */
interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly { readonly assertionResults: readonly TestResult[] }[];
}

interface TestResult {
  readonly title: string;
  /** `passed`, `failed`, or that it was not run. */
  readonly status: string;
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
