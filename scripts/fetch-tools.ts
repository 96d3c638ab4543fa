/**
 * Fetches and builds every tool that tests use, one after the other, so that whoever is in need of
 * one need not wait for the others. `npm test` has this going on beside it, at the lowest priority.
 */
import { PARTS, toolsFor } from '../sandbox/parts.js';
import { provideTools } from '../sandbox/tools/provide.js';
import { tools, type ToolName } from '../sandbox/tools/table.js';

const all = Object.keys(tools) as ToolName[];
for (const name of new Set([...toolsFor(PARTS), ...all])) {
  try {
    await provideTools([name], { report: (line) => console.error(line) });
  } catch (error) {
    // The tests that need it will say so.
    console.error(error instanceof Error ? error.message : error);
  }
}
