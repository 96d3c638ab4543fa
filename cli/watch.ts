import { setTimeout as sleep } from 'node:timers/promises';

import type { CanaryName, Sluice, Status } from '../api/client.js';
import { SluiceError } from '../api/sluice-error.js';
import type { PlannedStep } from '../domain/explain.js';
import { nameOf } from './arguments.js';
import { exitCodeOf } from './exit-codes.js';
import type { Output, Stream } from './output.js';
import { statusShape } from './shapes.js';
import { endingText, planText, progressText, statusText } from './text.js';

const pollMs = 700;

/**
 * Shows a canary's release until none is running: redrawn on a terminal, else one line per change.
 * Asks only, so watching costs the release nothing. Returns the exit code of how it ended.
 */
export async function watch(sluice: Sluice, canary: CanaryName, output: Output): Promise<number> {
  const screen = output.terminal === undefined ? lines(output) : drawing(output.terminal);
  let shown = await sluice.why(canary);
  screen.show(shown, await stepsOf(sluice, shown));
  let outage: string | undefined;
  while (shown.ending === undefined) {
    await sleep(pollMs);
    const seen = await unlessOutage(() => sluice.why(canary));
    if (seen instanceof SluiceError) {
      if (seen.message !== outage) screen.remark(`${seen.message}; trying again`);
      outage = seen.message;
      continue;
    }
    outage = undefined;
    if (seen.runId !== shown.runId) await tellEnd(sluice, shown, screen);
    screen.show(seen, await stepsOf(sluice, seen));
    shown = seen;
  }
  return exitCodeOf(shown.ending.outcome);
}

/** Where progress is shown. */
interface Screen {
  show(status: Status, steps: readonly PlannedStep[]): void;
  /** A line that stays. */
  remark(text: string): void;
}

/** A closed run shows no steps: its end says it all. */
async function stepsOf(sluice: Sluice, status: Status): Promise<readonly PlannedStep[]> {
  if (!status.running || status.state === undefined) return [];
  const steps = await unlessOutage(() => sluice.plan(status.canary));
  return steps instanceof SluiceError ? [] : steps;
}

/** Tells how a run ended that another one has followed. */
async function tellEnd(sluice: Sluice, { canary, runId }: Status, screen: Screen): Promise<void> {
  const ending = await unlessOutage(() => sluice.ending(canary, runId));
  if (ending instanceof SluiceError || ending.outcome === 'continued') return;
  screen.remark(endingText(ending));
}

/** Outages come back as values, because watching goes on through them. */
async function unlessOutage<T>(ask: () => Promise<T>): Promise<T | SluiceError> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (error.kind === 'unreachable' || error.kind === 'no-answer') return error;
    throw error;
  }
}

/** Appends a line, or a JSON document, whenever something has changed. */
function lines(output: Output): Screen {
  let shown = '';
  return {
    show(status) {
      const text = progressText(status);
      const changed = `${status.runId} ${String(status.state?.checks)} ${text}`;
      if (changed === shown) return;
      shown = changed;
      const time = new Date().toISOString().slice(11, 19);
      const head = [time, nameOf(status.canary), status.revision].join(' ').trimEnd();
      output.answer(`${head}: ${text}`, statusShape(status));
    },
    remark(text) {
      output.remark(text);
    },
  };
}

/** Draws over what it drew before. */
function drawing(terminal: Stream): Screen {
  let height = 0;
  const draw = (text: string): void => {
    const width = terminal.columns === undefined || terminal.columns === 0 ? 80 : terminal.columns;
    const rows = text
      .split('\n')
      .map((row) => (row.length > width ? `${row.slice(0, width - 1)}…` : row));
    const back = height === 0 ? '' : `\u001b[${String(height)}F`;
    terminal.write(`${back}\u001b[J${rows.join('\n')}\n`);
    height = rows.length;
  };
  return {
    show(status, steps) {
      const text = statusText(status, Date.now());
      draw(steps.length === 0 ? text : `${text}\n\n${planText(steps)}`);
    },
    remark(text) {
      draw(text);
      height = 0;
    },
  };
}
