import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { killLeftovers } from './network.js';

const fileName = 'network';

/** Notes the network of a pod, so that a later life of the agent finds the processes in it. */
export function noteNetwork(podDirectory: string, network: string): void {
  mkdirSync(podDirectory, { recursive: true });
  writeFileSync(join(podDirectory, fileName), network);
}

/** Ends the pods an agent that was killed has left behind; they start anew as the API server knows them. */
export function clearLeftovers(podsDir: string): void {
  mkdirSync(podsDir, { recursive: true });
  const networks = readdirSync(podsDir).map((uid) => readNote(join(podsDir, uid)));
  killLeftovers(new Set(networks));
  rmSync(podsDir, { recursive: true, force: true });
}

function readNote(podDirectory: string): string {
  try {
    return readFileSync(join(podDirectory, fileName), 'utf8');
  } catch {
    // The agent was killed before the pod had a network.
    return '';
  }
}
