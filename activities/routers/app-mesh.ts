import type { Canary } from '../../domain/canary.js';
import type { KubeObject, PodWorkload } from '../../domain/objects.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import { workloadRefs } from '../../domain/targets.js';
import { refuseUnable } from './abilities.js';
import type { MeshObject, Part, Version } from './app-mesh-parts.js';
import { weightsIn } from './app-mesh-routes.js';
import { v1beta1 } from './app-mesh-v1beta1.js';
import { v1beta2 } from './app-mesh-v1beta2.js';
import { givenBack, routeMetadata } from './ownership.js';
import type { Acceptance, Router } from './router.js';

/** Which App Mesh, and what it takes from the worker's configuration. */
export interface AppMeshOptions {
  readonly version: 'v1beta1' | 'v1beta2';
  /** The labels a target's selector may be keyed by, in order of preference. */
  readonly selectorLabels: readonly string[];
}

/**
 * App Mesh: virtual nodes for the workloads, a virtual service of the name that clients call with
 * the weights in its routes, and another one that always leads to the canary.
 * Fields: https://docs.aws.amazon.com/app-mesh/latest/APIReference/
 */
export function appMesh({ version, selectorLabels }: AppMeshOptions): Router {
  const api: Version = version === 'v1beta1' ? v1beta1 : v1beta2(selectorLabels);
  return {
    reads: (canary) => [
      ...api.parts(canary).map(({ kind, own: { name } }) => ({
        apiVersion: api.apiVersion,
        kind,
        namespace: canary.namespace,
        name,
      })),
      ...(api.looksAtTarget ? [workloadRefs(canary).canary] : []),
    ],

    needs: () => [],

    /** Sidecars do not start without the virtual node they stand for. */
    beforePods: (canary, live) =>
      api
        .parts(canary)
        .filter(({ kind }) => kind === 'VirtualNode')
        .map((node) => rendered(canary, node, allToPrimary, live)),

    render(canary, split, live) {
      refuseUnable(canary, split);
      return api.parts(canary).map((part) => rendered(canary, part, split.routes, live));
    },

    parse(canary, live) {
      const split = api.parts(canary).find(({ isSplit }) => isSplit === true);
      const routes = split && find(split, live)?.spec?.routes;
      return routes && weightsIn(canary, routes);
    },

    finalize: (canary, live) =>
      api.parts(canary).flatMap((part) => givenBack(canary, find(part, live), part.own)),

    acceptance: (canary, live) =>
      acceptanceOf(api.parts(canary).flatMap((part) => find(part, live) ?? [])),
  };

  function rendered(
    canary: Canary,
    part: Part,
    routes: Routes,
    live: readonly KubeObject[],
  ): MeshObject {
    const current = find(part, live);
    const { apiVersion, kind } = workloadRefs(canary).canary;
    const target = live.find(
      (object): object is PodWorkload => object.kind === kind && object.apiVersion === apiVersion,
    );
    const isOurs = current?.spec !== undefined && part.isOurs(current.spec);
    return {
      ...current,
      apiVersion: api.apiVersion,
      kind: part.kind,
      metadata: routeMetadata(canary, current, isOurs, part.own),
      spec: part.spec({ routes, live: current?.spec ?? {}, target }),
    };
  }
}

function find({ kind, own: { name } }: Part, live: readonly KubeObject[]): MeshObject | undefined {
  return live.find(
    (object): object is MeshObject => object.kind === kind && object.metadata.name === name,
  );
}

/** What the controller says of the objects; that of the first API does not say of which state. */
function acceptanceOf(objects: readonly MeshObject[]): Acceptance {
  const reports = objects.flatMap(({ kind, metadata: { generation = 0 }, status }) => {
    const { observedGeneration, conditions = [] } = status ?? {};
    const active = conditions.find(({ type }) => type === `${kind}Active`);
    if (observedGeneration === undefined || active === undefined) return [];
    return [{ ...active, kind, isOld: observedGeneration < generation }];
  });
  if (reports.length === 0) return { kind: 'unreported' };
  if (reports.some(({ isOld }) => isOld)) return { kind: 'pending' };
  const refused = reports.find(({ status }) => status === 'False');
  if (refused !== undefined) {
    const { kind, message = 'no reason given' } = refused;
    return { kind: 'refused', reason: `${kind}: ${message}` };
  }
  return reports.every(({ status }) => status === 'True')
    ? { kind: 'accepted' }
    : { kind: 'pending' };
}
