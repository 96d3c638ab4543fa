import { Context } from '@temporalio/activity';

import { alertEntriesOf, isWanted, settingFacts } from '../domain/alert-entries.js';
import type { Alert, Fact } from '../domain/alerts.js';
import type { AlertDelivery } from '../domain/deliveries.js';
import type { KubeObject } from '../domain/objects.js';
import { releaseId, type CanaryRef } from '../domain/release.js';
import type { Deps, Settings } from './deps.js';
import { send } from './notifiers/index.js';
import { receiverNamed, receiverOf } from './notifiers/receivers.js';

/** An alert under a key that is the same for whoever tells it again. */
export interface KeyedAlert {
  readonly key: string;
  readonly alert: Alert;
}

/**
 * Whom an alert on a Canary goes to: each entry of its manifest that wants it or, if there are no
 * entries, the chat service of the worker's configuration, which wants all.
 */
export function alertDeliveries(
  settings: Settings,
  canary: CanaryRef,
  manifest: KubeObject,
  { key, alert }: KeyedAlert,
): readonly AlertDelivery[] {
  const entries = alertEntriesOf(manifest);
  const addressees: readonly Addressee[] =
    entries.length > 0
      ? entries.flatMap((entry, index) =>
          isWanted(entry, alert) ? [{ index, provider: entry.provider }] : [],
        )
      : settings.alerts?.own === undefined
        ? []
        : [{ index: 0 }];
  const { withSettings, ...rest } = alert;
  const facts = [
    ...clusterFacts(settings),
    ...(withSettings === true ? settingFacts(manifest) : []),
    ...alert.facts,
    ...linkFacts(settings, canary, key),
  ];
  return addressees.map(({ index, ...addressee }) => ({
    kind: 'alert',
    key: `${key}/alert/${index}`,
    ...addressee,
    alert: { ...rest, facts },
    at: Date.now(),
  }));
}

/** The provider of an entry, and the number of the entry in the manifest. */
interface Addressee extends Pick<AlertDelivery, 'provider'> {
  readonly index: number;
}

/** What a delivery that is not worth another attempt came to; undefined when it was made. */
export type Dropped = { readonly fault?: string } | undefined;

/**
 * Delivers one alert. Addresses and Secrets are read now, and stay here; whatever is missing or does
 * not answer is thrown, to be tried again.
 */
export async function deliverAlert(
  deps: Deps,
  canary: CanaryRef,
  { key, provider, alert, at }: AlertDelivery,
): Promise<Dropped> {
  const { settings, kube } = deps;
  const foreign = provider !== undefined && provider.namespace !== canary.namespace;
  if (foreign && settings.defaults.noCrossNamespaceRefs === true) {
    return { fault: 'cross-namespace references are blocked' };
  }
  const own = settings.alerts?.own;
  if (provider === undefined && own === undefined) return {};
  const receiver =
    provider === undefined ? own && receiverOf(own) : await receiverNamed(kube, provider);
  if (receiver === undefined) return {};
  const { severity, message: text, facts } = alert;
  const title = `${canary.name}.${canary.namespace}`;
  const { cancellationSignal: signal } = Context.current();
  await send({ severity, text, canary, title, facts, at }, { ...receiver, key, signal });
  return undefined;
}

function clusterFacts({ alerts }: Settings): readonly Fact[] {
  const { clusterName = '' } = alerts ?? {};
  return clusterName === '' ? [] : [{ name: 'Cluster', value: clusterName }];
}

/** Where to look further: the release on Sluice's page, and its run in Temporal's UI. */
function linkFacts({ alerts }: Settings, canary: CanaryRef, key: string): readonly Fact[] {
  const { pageUrl = '', temporalUiUrl = '' } = alerts ?? {};
  const [runId = ''] = key.split('/');
  const { namespace } = Context.current().info;
  const workflow = encodeURIComponent(releaseId(canary));
  const run = `${temporalUiUrl}/namespaces/${namespace}/workflows/${workflow}/${runId}`;
  return [
    ...(pageUrl === ''
      ? []
      : [{ name: 'Release', value: `${pageUrl}/${canary.namespace}/${canary.name}` }]),
    ...(temporalUiUrl === '' ? [] : [{ name: 'Workflow', value: run }]),
  ];
}
