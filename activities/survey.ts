import { ApplicationFailure } from '@temporalio/activity';

import { parseCanary, type Canary } from '../domain/canary.js';
import { namesOf } from '../domain/names.js';
import type { ObjectRef } from '../domain/objects.js';
import { controllingCanary } from '../domain/primary.js';
import type { CanaryRef, Plan, Survey } from '../domain/release.js';
import { objectRefOf } from './canaries.js';
import type { Deps } from './deps.js';
import { serviceRef } from './services.js';
import { workloadOf } from './workloads/index.js';
import type { Target } from './workloads/workload.js';

/** Looks at a Canary and its target, and says what there is to release, or why nothing can be. */
export async function survey(
  deps: Deps,
  { canary: ref }: { readonly canary: CanaryRef },
): Promise<Survey> {
  const { kube, settings } = deps;
  const manifest = await kube.find(objectRefOf(ref));
  if (manifest === undefined || manifest.metadata.deletionTimestamp !== undefined) {
    return { kind: 'gone' };
  }
  const parsed = parseCanary(manifest, settings.defaults);
  if (!parsed.ok) return { kind: 'invalid', problems: parsed.problems };

  const { canary } = parsed;
  const [target, clashes] = await Promise.all([targetOf(deps, canary), clashesOf(deps, canary)]);
  if (typeof target === 'string') return { kind: 'invalid', problems: [target, ...clashes] };
  if (clashes.length > 0) return { kind: 'invalid', problems: clashes };
  const { phase, canaryWeight, lastAppliedSpec, lastPromotedSpec } = canary.status;
  return {
    kind: 'ready',
    plan: planOf(canary),
    generation: canary.generation,
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(canaryWeight === undefined ? {} : { canaryWeight }),
      ...(lastAppliedSpec === undefined ? {} : { lastAppliedSpec }),
      ...(lastPromotedSpec === undefined ? {} : { lastPromotedSpec }),
    },
    revision: target.revision,
    images: target.containers.map(({ image = '' }) => image),
  };
}

function planOf(canary: Canary): Plan {
  const { analysis, skipAnalysis, suspend, progressDeadlineMs } = canary;
  const { intervalMs, threshold, weights, stepWeightPromotion } = analysis;
  return {
    names: namesOf(canary),
    intervalMs,
    threshold,
    weights,
    stepWeightPromotion,
    skipAnalysis,
    suspended: suspend,
    progressDeadlineMs,
  };
}

/** The target, or the sentence that says what is wrong with it. */
async function targetOf(deps: Deps, canary: Canary): Promise<Target | string> {
  try {
    return await workloadOf(deps, canary).target();
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'InvalidSpec') return error.message;
    throw error;
  }
}

/** Two canaries that share a target or a service would fight over it without end. */
async function clashesOf({ kube }: Deps, canary: Canary): Promise<string[]> {
  const { apiVersion, kind } = canary.target;
  const { targetWorkload, primaryWorkload } = namesOf(canary);
  const refs: readonly ObjectRef[] = [
    ...[targetWorkload, primaryWorkload].map((name) => ({
      apiVersion,
      kind,
      namespace: canary.namespace,
      name,
    })),
    ...(['apex', 'primary', 'canary'] as const).map((role) => serviceRef(canary, role)),
  ];
  const objects = await Promise.all(refs.map((ref) => kube.find(ref)));
  return objects.flatMap((object) => {
    const owner = object && controllingCanary(object.metadata);
    if (object === undefined || owner === undefined || owner === canary.name) return [];
    const { name, namespace = '' } = object.metadata;
    return [
      `${object.kind.toLowerCase()} ${name}.${namespace} belongs to canary ${owner}.${namespace}`,
    ];
  });
}
