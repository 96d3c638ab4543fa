import { Client, Connection } from '@temporalio/client';
import { fileURLToPath } from 'node:url';

import { connectKube } from '../../activities/kube.js';
import { providePrograms } from '../../sandbox/tools/programs.js';
import { loadTemporalConfig } from '../../worker/config.js';
import { startHookServer } from '../activities/hook-server.js';
import { openLane, type Lane, type Release } from './lane.js';
import type { Scenario } from './scenarios.js';
import type { Aim } from './trap.js';

/** Makes releases, as many at a time as there are lanes. */
export interface Matrix {
  /** Releases an app; with an aim its worker dies of that, and another takes over. */
  release(scenario: Scenario, aim?: Aim): Promise<Release>;
  close(): Promise<void>;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Opens that many lanes. */
export async function openMatrix(width: number): Promise<Matrix> {
  const { connectionOptions, namespace } = loadTemporalConfig(process.env);
  const connection = await Connection.connect(connectionOptions);
  const hooks = await startHookServer();
  const ground = {
    kube: connectKube(),
    temporal: new Client({ connection, namespace }),
    hooks,
    programs: (await providePrograms(repository)).folder,
  };
  const lanes = await Promise.all(
    Array.from({ length: width }, (_, number) => openLane(ground, number)),
  );
  const free = [...lanes];
  const waiting: ((lane: Lane) => void)[] = [];

  function take(): Promise<Lane> | Lane {
    return free.pop() ?? new Promise((resolve) => waiting.push(resolve));
  }

  function give(lane: Lane): void {
    const next = waiting.shift();
    if (next === undefined) free.push(lane);
    else next(lane);
  }

  return {
    async release(scenario, aim) {
      const lane = await take();
      try {
        return await lane.release(scenario, aim);
      } finally {
        give(lane);
      }
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
      await Promise.all([connection.close(), hooks.stop()]);
    },
  };
}
