import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

interface Listed {
  readonly parent: number;
  readonly group: number;
  readonly name: string;
}

/** The process groups that a process's children are in. */
export async function groupsBelow(pid: number | undefined): Promise<readonly number[]> {
  return (await running()).filter(({ parent }) => parent === pid).map(({ group }) => group);
}

/** The names of the processes in these groups. */
export async function namesIn(groups: readonly number[]): Promise<readonly string[]> {
  const found = (await running()).filter(({ group }) => groups.includes(group));
  return found.map(({ name }) => name).sort();
}

/** All processes but those that have ended and were not awaited. */
async function running(): Promise<readonly Listed[]> {
  const { stdout } = await execute('ps', ['-eo', 'ppid=,pgid=,stat=,comm=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = '']) => !state.startsWith('Z'))
    .map(([parent, group, , name = '']) => ({
      parent: Number(parent),
      group: Number(group),
      name,
    }));
}
