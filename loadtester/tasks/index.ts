import { optionalText } from '../metadata.js';
import { BadRequest } from '../payload.js';
import { readBash, readCmd, readProgram } from './commands.js';
import { readConcord } from './concord.js';
import { readJob } from './job.js';
import { readK6 } from './k6.js';
import { readNgrinder } from './ngrinder.js';
import type { ReadTask, TaskType } from './task.js';

const readers = {
  cmd: readCmd,
  bash: readBash,
  helm: readProgram('helm'),
  helmv3: readProgram('helm'),
  kubectl: readProgram('kubectl'),
  ngrinder: readNgrinder,
  concord: readConcord,
  k6: readK6,
  job: readJob,
} satisfies Record<TaskType, ReadTask>;

/** Every type of task. */
export const taskTypes = Object.keys(readers) as TaskType[];

/** The type a call is for, `cmd` when it names none; throws {@link BadRequest} that lists them. */
export function typeOf(metadata: Readonly<Record<string, string>>): TaskType {
  const type = optionalText(metadata, 'type') ?? 'cmd';
  const known = taskTypes.find((one) => one === type);
  if (known !== undefined) return known;
  throw new BadRequest(`metadata.type: unknown task type (known: ${taskTypes.join(', ')})`);
}

/** How calls for a type are understood. */
export function readerOf(type: TaskType): ReadTask {
  return readers[type];
}
