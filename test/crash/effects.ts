import type { CanaryStatus } from '../../domain/canary.js';
import type { HookPayload } from '../../domain/hooks.js';
import type { KubeObject, PodWorkload } from '../../domain/objects.js';
import { routesText } from '../conformance/history.js';
import type { Call } from './proxy.js';

/** Something the worker does to the world about an app. */
export interface Effect {
  readonly app: string;
  /** What is done, for people; the same for every app that is released alike. */
  readonly label: string;
}

/** A change of an object that belongs to an app; the API server's objects are named after it. */
export function writeOf({ method, path, body }: Call): Effect | undefined {
  const [, namespace = '', plural = '', named, subresource] =
    /\/namespaces\/([^/?]+)\/([^/?]+)(?:\/([^/?]+))?(?:\/([^/?]+))?/.exec(path) ?? [];
  if (plural === '') return undefined;
  const object = (body === '' ? {} : JSON.parse(body)) as Written;
  const name = nameOf(object, named);
  const what = [plural, subresource].filter((part) => part !== undefined).join('/');
  const label = labels[what]?.(object, name) ?? `${method} ${what} ${name}`;
  const app = name.replace(/-(primary|canary)$/, '');
  return { app, label: plain(label, { app, namespace }) };
}

/** A call of a webhook, or of the chat service; see `pathOf` for its path. */
export function hookCallOf({ path, body }: Call): Effect {
  const [, app = '', hook = ''] = path.split('/');
  const { metadata = {}, namespace, message } = JSON.parse(body) as HookPayload & Partial<Alert>;
  const text = message ?? metadata['eventMessage'];
  const label = text === undefined ? `hook ${hook}` : `hook ${hook}: ${text}`;
  return { app, label: plain(label, { app, namespace }) };
}

/** What an AlertProvider of type `webhook` is sent, as far as it is read here. */
export interface Alert {
  readonly severity: string;
  readonly message: string;
}

/** A text without what is different from app to app. */
export function plain(
  text: string,
  { app, namespace }: { readonly app: string; readonly namespace: string },
): string {
  return text
    .replaceAll(namespace, 'test')
    .replaceAll(app, 'app')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://hooks');
}

/** The part of what is written that is read here. */
type Written = Partial<KubeObject> & {
  readonly involvedObject?: { readonly name: string };
  readonly message?: string;
};

/** The name in the path; what is created has it inside, and an event that of what it is about. */
function nameOf({ involvedObject, metadata }: Written, named: string | undefined): string {
  return involvedObject?.name ?? named ?? metadata?.name ?? '';
}

/** What is said of writes that are made more than once, each time with other contents. */
const labels: Readonly<Record<string, (object: Written, name: string) => string>> = {
  events: ({ message = '' }) => `event: ${message}`,
  httpproxies: (object) => routesText(object as KubeObject),
  'canaries/status': ({ status }) => `status: ${changeText(status as CanaryStatus)}`,
  deployments: (object, name) => `deployment ${name}: ${podsText(object as PodWorkload)}`,
};

function podsText({ spec: { replicas, template } }: PodWorkload): string {
  const images = template.spec?.containers?.map(({ image = '' }) => image) ?? [];
  return `${replicas} of ${images.join(', ')}`;
}

/** What a patch of the status sets, without times and hashes. */
function changeText({ phase, canaryWeight, failedChecks, iterations }: CanaryStatus): string {
  return Object.entries({ phase, canaryWeight, failedChecks, iterations })
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field} ${value}`)
    .join(', ');
}
