import type { Canary } from '../domain/canary.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import { workloadRefs } from '../domain/targets.js';
import type { Deps } from './deps.js';
import { serviceRef } from './services.js';

/** The target of a Canary and everything that is generated beside it, as far as it is there. */
export interface Generated {
  readonly all: readonly KubeObject[];
  readonly find: (ref: ObjectRef) => KubeObject | undefined;
}

/** Reads the target of a Canary and what is generated for it, at one moment. */
export async function readGenerated({ kube }: Deps, canary: Canary): Promise<Generated> {
  const { canary: target, primary } = workloadRefs(canary);
  const services = (['apex', 'primary', 'canary'] as const).map((role) => serviceRef(canary, role));
  const isKnative = canary.target.kind === 'KnativeService';
  const refs = new Map(
    [target, primary, ...(isKnative ? [] : services)].map((ref) => [keyOf(ref), ref]),
  );
  const objects = new Map<string, KubeObject>();
  await Promise.all(
    [...refs].map(async ([key, ref]) => {
      const object = await kube.find(ref);
      if (object !== undefined) objects.set(key, object);
    }),
  );
  return { all: [...objects.values()], find: (ref) => objects.get(keyOf(ref)) };
}

function keyOf({ apiVersion, kind, name }: ObjectRef): string {
  return `${apiVersion}/${kind}/${name}`;
}
