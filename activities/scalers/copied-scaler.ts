import type { AutoscalerRef, Canary } from '../../domain/canary.js';
import type { ObjectRef } from '../../domain/objects.js';
import { primaryScalerName, type ScalerObject } from '../../domain/scalers/primary-scaler.js';
import { changeObject } from '../changes.js';
import type { Deps } from '../deps.js';
import type { Scaler } from './scaler.js';

/** How one kind of scaler is copied. */
export interface ScalerKind {
  /** The version of the API it is read and written in. */
  readonly apiVersion: (ref: AutoscalerRef) => string;
  /** The primary's scaler: a new one, or the live one brought up to date. */
  readonly primary: (
    canary: Canary,
    ref: AutoscalerRef,
    scalers: { readonly target: ScalerObject; readonly live: ScalerObject | undefined },
  ) => ScalerObject;
  readonly minReplicas: (target: ScalerObject | undefined) => number;
  /** Absent where a scaler leaves a workload without pods alone. */
  readonly pausing?: {
    readonly paused: (target: ScalerObject) => ScalerObject;
    readonly resumed: (target: ScalerObject) => ScalerObject;
  };
}

/** A scaler that is an object of the API with a copy for the primary. */
export function copiedScaler(
  { kube }: Deps,
  canary: Canary,
  ref: AutoscalerRef,
  { apiVersion, primary, minReplicas, pausing }: ScalerKind,
): Scaler {
  const { kind, name } = ref;
  const target = { apiVersion: apiVersion(ref), kind, namespace: canary.namespace, name };
  const copy = { ...target, name: primaryScalerName(ref) };

  async function read(of: ObjectRef): Promise<ScalerObject | undefined> {
    return during(`${nameOf(of)} get query error`, () => kube.find<ScalerObject>(of));
  }

  /** Retried: manifests that are applied together come in any order. */
  async function readTarget(): Promise<ScalerObject> {
    const found = await read(target);
    if (found !== undefined) return found;
    throw new Error(`${nameOf(target)} get query error: ${kind} "${name}" not found`);
  }

  async function create(): Promise<void> {
    const made = primary(canary, ref, { target: await readTarget(), live: undefined });
    await during(`creating ${nameOf(copy)} failed`, () => kube.create(made));
  }

  return {
    async createPrimary() {
      if ((await read(copy)) === undefined) await create();
    },

    async updatePrimary() {
      const from = await readTarget();
      const updated = await during(`updating ${nameOf(copy)} failed`, () =>
        changeObject<ScalerObject>(kube, copy, (live) =>
          primary(canary, ref, { target: from, live }),
        ),
      );
      if (updated === undefined) await create();
    },

    async pauseTarget() {
      // One that is missing starts no pods.
      if (pausing !== undefined) await changeObject(kube, target, pausing.paused);
    },

    async resumeTarget() {
      if (pausing !== undefined) await changeObject(kube, target, pausing.resumed);
    },

    minReplicas: async () => minReplicas(await read(target)),
  };
}

async function during<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}: ${message}`, { cause });
  }
}

function nameOf({ kind, name, namespace }: ObjectRef): string {
  return `${kind} ${name}.${namespace}`;
}
