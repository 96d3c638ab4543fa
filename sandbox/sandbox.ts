import type { SpawnOptions } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';

import { CLUSTER_DOMAIN } from './addresses.js';
import { claim } from './claim.js';
import { messages, send } from './control.js';
import type { Report } from './control.js';
import { claimName, describe, environmentInside, urlsOf } from './description.js';
import type { Description, SandboxUrls } from './description.js';
import { KUBERNETES, standardForwards } from './forwards.js';
import type { Forward } from './forwards.js';
import { openHostPort } from './host-ports.js';
import type { HostPort } from './host-ports.js';
import { checkHost, enter, firstProcess, isolate } from './isolation.js';
import type { Isolated } from './isolation.js';
import { PARTS, toolsFor } from './parts.js';
import type { Part } from './parts.js';
import { providePrograms } from './tools/programs.js';
import { provideTools } from './tools/provide.js';

/** What a sandbox is started with; by default it is named `default` and has every part. */
export type SandboxOptions = {
  readonly name?: string;
  readonly parts?: readonly Part[];
  /** Image map files beside the built-in one. */
  readonly images?: readonly string[];
  /** Services to reach from the host, beside the standard ones. */
  readonly forwards?: readonly Forward[];
  /** Gets a line whenever a step of the start is done. */
  readonly report?: (line: string) => void;
  /** Ends the start, or the sandbox. */
  readonly signal?: AbortSignal;
};

/** A running sandbox. */
export type Sandbox = Description & {
  readonly urls: SandboxUrls;
  /**
   * Runs `sh -c command` inside, with the caller's folder and (unless `options` say otherwise) terminal;
   * returns its exit code, 128 + N when signal N ended it.
   */
  readonly exec: (command: string, options?: SpawnOptions) => Promise<number>;
  /** Ends it; resolves when no process of it is left. Also called when this process ends in any way. */
  readonly stop: () => Promise<void>;
  /** Resolves when it has ended, with the reason unless it was stopped. */
  readonly ended: Promise<string | undefined>;
};

const repository = resolve(import.meta.dirname, '..');
const stopMs = 3000;

/**
 * Starts a sandbox and waits until all of it is ready. Throws one sentence when the machine cannot run
 * it, its name is taken, or a part does not get ready; nothing is left then.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { name = 'default', report = ignore, signal } = options;
  checkHost();
  let description: Description | undefined;
  const held = await claim(claimName(name), () => JSON.stringify(description ?? ''));
  if (held === undefined) {
    throw new Error(
      `a sandbox named ${name} runs already: stop it, or choose another name (--name)`,
    );
  }
  try {
    const launched = await launch({ ...options, name, report });
    const { isolated, reports, ports } = launched;
    const stop = stopper(isolated);
    const abort = (): void => void stop();
    signal?.addEventListener('abort', abort);
    try {
      signal?.throwIfAborted();
      await untilReady(reports, report);
    } catch (error) {
      await stop();
      signal?.throwIfAborted();
      throw error;
    }
    description = describe(name, insideProcess(isolated), ports);
    const ended = follow(launched, report).finally(() => held.release());
    return sandbox(description, stop, ended);
  } catch (error) {
    held.release();
    throw error;
  }
}

/** A running sandbox by its description, for commands of other processes. */
export async function execIn(
  { process: inside }: Description,
  command: string,
  options: SpawnOptions = { stdio: 'inherit' },
): Promise<number> {
  const env = { ...environmentInside, ...options.env };
  const child = enter(inside, ['sh', '-c', command], { ...options, env });
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function sandbox(
  description: Description,
  stop: Sandbox['stop'],
  ended: Sandbox['ended'],
): Sandbox {
  return {
    ...description,
    urls: urlsOf(description),
    exec: (command, options) => execIn(description, command, options),
    stop: async () => {
      await stop();
      await ended;
    },
    ended,
  };
}

type Launched = {
  readonly isolated: Isolated;
  readonly reports: AsyncGenerator<Report, void>;
  readonly ports: Description['ports'];
};

async function launch(
  options: SandboxOptions & { readonly name: string; readonly report: (line: string) => void },
): Promise<Launched> {
  const { name, parts = PARTS, images = [], report, signal } = options;
  const tools = await provideTools(toolsFor(parts), { report, ...(signal && { signal }) });
  const programs = await providePrograms(repository);
  const forwards = [...standardForwards, ...(options.forwards ?? [])];
  const opened: HostPort[] = [];
  for (const forward of forwards) opened.push(await openHostPort(forward.preferredPort));
  const isolated = isolate(
    [process.execPath, programs.supervisor],
    opened.map(({ descriptor }) => descriptor),
  );
  for (const port of opened) port.close();
  const ports = Object.fromEntries(
    forwards.map((forward, place) => [forward.name, opened[place]?.port ?? 0]),
  );
  send(isolated.control, {
    name,
    repository,
    programs,
    loader: import.meta.resolve('tsx'),
    tools,
    parts,
    images: images.map((file) => resolve(file)),
    apiPort: ports[KUBERNETES] ?? 0,
    targets: forwards.map((forward) => addressInside(forward, ports)),
  });
  return { isolated, reports: messages<Report>(isolated.control), ports };
}

function addressInside({ name, target }: Forward, ports: Description['ports']): string {
  // The API server is no Service before it runs.
  if (name === KUBERNETES) return `127.0.0.1:${ports[KUBERNETES] ?? 0}`;
  const [service = '', port = ''] = target.split(':');
  return `${service}.svc.${CLUSTER_DOMAIN}:${port}`;
}

async function untilReady(
  reports: AsyncGenerator<Report, void>,
  report: (line: string) => void,
): Promise<void> {
  for (;;) {
    const { value, done } = await reports.next();
    if (done === true) throw new Error(cannotIsolate);
    if (value.kind === 'failed') throw new Error(value.text);
    if (value.kind === 'ready') return;
    report(value.text);
  }
}

const cannotIsolate =
  'the sandbox ended before it was ready. Where the lines above come from unshare, this machine does ' +
  'not let users make namespaces (see sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces ' +
  'and kernel.apparmor_restrict_unprivileged_userns)';

/** Consumes the reports of a running sandbox; resolves when it has ended, with the reason. */
async function follow(
  { reports, isolated }: Launched,
  report: (line: string) => void,
): Promise<string | undefined> {
  let reason: string | undefined;
  for await (const message of reports) {
    if (message.kind === 'failed') reason = message.text;
    if (message.kind === 'progress') report(message.text);
  }
  await isolated.ended;
  return reason;
}

function stopper({ control, holder, ended }: Isolated): () => Promise<void> {
  return async () => {
    control.destroy();
    const kill = setTimeout(() => holder.kill('SIGKILL'), stopMs);
    await ended;
    clearTimeout(kill);
  };
}

function insideProcess({ holder }: Isolated): number {
  const pid = holder.pid === undefined ? undefined : firstProcess(holder.pid);
  if (pid === undefined) throw new Error('the sandbox ended while it started');
  return pid;
}

function ignore(): void {
  // The default for those who want no report.
}
