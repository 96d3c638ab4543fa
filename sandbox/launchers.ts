import { readFileSync } from 'node:fs';

import { parentOf } from './isolation.js';

const checkMs = 250;
const levels = 4;

/**
 * Calls `onDeath` when npm, npx or tsx, through which this process was started, is killed: they pass on
 * signals they can handle, but nobody is told of a SIGKILL.
 */
export function watchLaunchers(onDeath: () => void): void {
  const chain = launchers();
  const timer = setInterval(() => {
    if (chain.every(({ pid, parent }) => parentOf(pid) === parent)) return;
    clearInterval(timer);
    onDeath();
  }, checkMs);
  timer.unref();
}

/** This process and those up to the outermost launcher, each with its parent. */
function launchers(): readonly { readonly pid: number; readonly parent: number }[] {
  const chain = [];
  let outermost = 0;
  for (let pid = process.pid; chain.length < levels;) {
    const parent = parentOf(pid);
    if (parent === undefined || parent <= 1) break;
    chain.push({ pid, parent });
    if (isLauncher(parent)) outermost = chain.length;
    pid = parent;
  }
  return chain.slice(0, outermost);
}

function isLauncher(pid: number): boolean {
  try {
    return /\b(npm|npx|tsx)\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    // It has just ended.
    return false;
  }
}
