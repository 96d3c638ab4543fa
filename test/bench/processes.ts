import { readFileSync, readdirSync } from 'node:fs';

/** What a process has used since it began, and its memory now. */
export interface Usage {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

/** Ticks of the kernel's clock per second; fixed for user space. */
const ticksPerSecond = 100;
const pageMb = 4096 / 2 ** 20;

/**
 * The descendant of a process whose command line matches; the one furthest down, as launchers
 * carry the command line of what they launch. Throws when there is none.
 */
export function descendant(ancestor: number, command: RegExp): number {
  const matches = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => command.test(commandLine(pid)))
    .map((pid) => ({ pid, depth: depthBelow(ancestor, pid) }))
    .filter(({ depth }) => depth > 0)
    .sort((one, other) => other.depth - one.depth);
  const [match] = matches;
  if (match === undefined) throw new Error(`no process ${String(command)} in the sandbox`);
  return match.pid;
}

/** Reads what a process has used. */
export function usageOf(pid: number): Usage {
  const fields = statOf(pid);
  return {
    at: Date.now(),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssMb: Number(fields[21]) * pageMb,
  };
}

/** Cores in use between two moments. */
export function coresBetween(before: Usage, after: Usage): number {
  return ((after.cpuSeconds - before.cpuSeconds) * 1_000) / (after.at - before.at);
}

function depthBelow(ancestor: number, pid: number): number {
  let depth = 0;
  for (let at = pid; at > 1; depth += 1) {
    if (at === ancestor) return depth;
    at = Number(statOf(at)[1] ?? 0);
  }
  return -1;
}

/** The fields of /proc/PID/stat behind the name, beginning with the state; none for one that ended. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
