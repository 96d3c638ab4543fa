import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { isPlainTcp } from '../../domain/providers.js';
import { hostsIn, httpRules, tcpRules, weightIn, type Rule } from './istio-rules.js';
import { givenBack, isMadeFor, ourRules, overlay, parsed, routeMetadata } from './ownership.js';
import type { OwnMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Router, type Split } from './router.js';

const group = 'networking.istio.io';
const kind = 'VirtualService';
const ruleKind = 'DestinationRule';

/** Where Flagger keeps the spec of a VirtualService that was there before. */
const flaggersBefore = 'flagger.kubernetes.io/original-configuration';

/**
 * Istio: one VirtualService, weights on its destinations, and a DestinationRule for each of them.
 * Its control plane reports nothing unless told to, so nobody waits for it.
 * Fields: https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
export function istio({ version }: { readonly version: string }): Router {
  const apiVersion = `${group}/${version}`;
  return {
    reads: (canary) => {
      const { namespace, service } = canary;
      const ref = (of: string, name: string): ObjectRef => ({
        apiVersion,
        kind: of,
        namespace,
        name,
      });
      return [ref(kind, service.name), ...besideOf(canary).map(({ name }) => ref(ruleKind, name))];
    },

    needs: () => [],

    render(canary, split, live) {
      refuseUnsupported(canary, split);
      const current = virtualServiceIn(live);
      const ours = oursIn(canary, [...httpIn(current), ...tcpIn(current)]);
      const isOurs = ours.split.length + ours.rest.length > 0;
      return [
        ...besideOf(canary).map((own) => destinationRule(canary, apiVersion, own, live)),
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, isOurs),
          spec: overlay<VirtualServiceSpec>(current?.spec, ownedBySpec, {
            ...reachedBy(canary),
            ...(isPlainTcp(canary.service)
              ? { tcp: tcpRules(canary, split, oursIn(canary, tcpIn(current))) }
              : { http: httpRules(canary, split, oursIn(canary, httpIn(current))) }),
          }),
        },
      ];
    },

    parse(canary, live) {
      const { primaryService, canaryService } = namesOf(canary);
      const current = virtualServiceIn(live);
      const rules = isPlainTcp(canary.service) ? tcpIn(current) : httpIn(current);
      // Those before the last one are for clients with cookies.
      const found = oursIn(canary, rules)
        .split.slice(-1)
        .map((rule) => ({
          primary: weightIn(rule, primaryService),
          canary: weightIn(rule, canaryService),
          ...(rule.mirror?.host === canaryService ? { mirror: true as const } : {}),
        }));
      return agreedRoutes(found);
    },

    finalize(canary, live) {
      const current = virtualServiceIn(live);
      const rules = besideOf(canary).flatMap((own) =>
        givenBack(canary, destinationRuleIn(live, own.name), own),
      );
      const given = givenBack(canary, current);
      return [...rules, ...(given.length > 0 ? given : givenBackOfFlagger(canary, current))];
    },

    acceptance: () => ({ kind: 'unreported' }),
  };
}

interface VirtualService extends KubeObject {
  readonly spec?: VirtualServiceSpec;
}

interface VirtualServiceSpec {
  readonly hosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly Rule[];
  readonly tcp?: readonly Rule[];
}

interface DestinationRule extends KubeObject {
  readonly spec?: { readonly host: string; readonly trafficPolicy?: object };
}

const ownedBySpec = ['hosts', 'gateways', 'http', 'tcp'] as const;

function virtualServiceIn(live: readonly KubeObject[]): VirtualService | undefined {
  return live.find((object): object is VirtualService => object.kind === kind);
}

function destinationRuleIn(live: readonly KubeObject[], name: string): DestinationRule | undefined {
  return live.find(
    (object): object is DestinationRule =>
      object.kind === ruleKind && object.metadata.name === name,
  );
}

function httpIn(service: VirtualService | undefined): readonly Rule[] {
  return service?.spec?.http ?? [];
}

function tcpIn(service: VirtualService | undefined): readonly Rule[] {
  return service?.spec?.tcp ?? [];
}

function oursIn(canary: Canary, rules: readonly Rule[]): ReturnType<typeof ourRules<Rule>> {
  return ourRules(canary, rules, hostsIn);
}

function refuseUnsupported({ service }: Canary, { routes, cookies }: Split): void {
  const { delegation, hosts, gateways } = service;
  if (delegation && hosts.length + gateways.length > 0) {
    throw new Unroutable(
      'spec.service.delegation: does not go with hosts and gateways, which are for the VirtualService that delegates',
    );
  }
  if (!isPlainTcp(service)) return;
  const asked = [
    ...(routes.mirror === true ? ['mirror'] : []),
    ...((cookies.canary ?? cookies.primary) === undefined ? [] : ['sessionAffinity']),
  ];
  if (asked.length > 0) {
    throw new Unroutable(
      `spec.analysis.${asked.join(', ')}: is not supported by istio for TCP (spec.service.appProtocol)`,
    );
  }
}

/** A VirtualService that another one delegates to has no names of its own. */
function reachedBy({
  service: { name, hosts, gateways, delegation },
}: Canary): Pick<VirtualServiceSpec, 'hosts' | 'gateways'> {
  if (delegation) return {};
  const isNamed = hosts.some((host) => host === name || host === '*');
  return {
    hosts: isNamed ? hosts : [...hosts, name],
    gateways: gateways.length === 0 ? ['mesh'] : gateways,
  };
}

/** The DestinationRules, each named after the service it is for. */
function besideOf(canary: Canary): OwnMetadata[] {
  const { primaryService, canaryService } = namesOf(canary);
  return [canaryService, primaryService].map((name) => ({ name, labels: {}, annotations: {} }));
}

function destinationRule(
  canary: Canary,
  apiVersion: string,
  own: OwnMetadata,
  live: readonly KubeObject[],
): DestinationRule {
  const { trafficPolicy } = canary.service;
  const current = destinationRuleIn(live, own.name);
  return {
    ...current,
    apiVersion,
    kind: ruleKind,
    // What was there before holds nothing that would tell it apart.
    metadata: routeMetadata(canary, current, false, own),
    spec: overlay(current?.spec, ['host', 'trafficPolicy'], {
      host: own.name,
      ...(trafficPolicy === undefined ? {} : { trafficPolicy }),
    }),
  };
}

/** What Flagger had taken over, unless it saved no more than its own routes. */
function givenBackOfFlagger(
  canary: Canary,
  live: VirtualService | undefined,
): readonly VirtualService[] {
  if (live === undefined || isMadeFor(canary, live.metadata)) return [];
  const spec = parsed<VirtualServiceSpec>(live.metadata.annotations?.[flaggersBefore]);
  const before = { ...live, ...(spec === undefined ? {} : { spec }) };
  const ours = oursIn(canary, [...httpIn(before), ...tcpIn(before)]);
  return spec === undefined || ours.split.length > 0 ? [] : [before];
}
