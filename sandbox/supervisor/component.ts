import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stateFolders } from '../state.js';

/** A process that is kept running. */
export type Component = {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
};

/** Told when a component ends, with the last lines of its log. */
export type OnEnd = (component: string, tail: string) => void;

const restartMs = 500;
const tailLines = 12;

/** Starts a component and starts it anew whenever it ends; its output goes to `logs/NAME.log`. */
export function keepRunning(component: Component, onEnd: OnEnd): void {
  const { name, argv, env } = component;
  const [program, ...args] = argv;
  const log = openSync(logFile(name), 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  const pidFile = join(stateFolders.pids, name);
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
  const end = (text: string): void => {
    rmSync(pidFile, { force: true });
    onEnd(name, text);
    setTimeout(() => keepRunning(component, onEnd), restartMs);
  };
  child.on('error', (error) => end(error.message));
  child.on('exit', () => end(logTail(name)));
}

/** The last lines a component printed. */
export function logTail(name: string): string {
  return readFileSync(logFile(name), 'utf8').trimEnd().split('\n').slice(-tailLines).join('\n');
}

function logFile(name: string): string {
  return join(stateFolders.logs, `${name}.log`);
}
