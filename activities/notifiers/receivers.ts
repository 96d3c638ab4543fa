import type { ProviderName } from '../../domain/alert-entries.js';
import type { KubeObject } from '../../domain/objects.js';
import type { NotifierSettings } from '../deps.js';
import type { Kube } from '../kube.js';
import { isNotifierType, notifiers, type Sending } from './index.js';
import { teamsFormats, type TeamsFormat } from './notifier.js';

/** Where messages are sent and how; holds credentials, so it is never returned by an activity. */
export type Receiver = Pick<Sending, 'type' | 'config' | 'proxy'>;

interface AlertProvider extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly channel?: string;
    readonly username?: string;
    readonly address?: string;
    readonly proxy?: string;
    readonly secretRef?: { readonly name: string };
  };
}

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Says which card Microsoft Teams gets, where the address of an AlertProvider does not tell. */
const formatAnnotation = 'sluice.dev/msteams-format';

/**
 * Reads an AlertProvider, with its Secret, whose address counts where there is one; undefined when
 * there is no address at all. Throws what is missing or wrong, by name.
 */
export async function receiverNamed(
  kube: Kube,
  { namespace, name }: ProviderName,
): Promise<Receiver | undefined> {
  const ref = { apiVersion: 'flagger.app/v1beta1', kind: 'AlertProvider', namespace, name };
  const found = await kube.find<AlertProvider>(ref);
  if (found === undefined) throw new Error(`alert provider ${name}.${namespace} not found`);
  const { spec = {}, metadata } = found;
  const { secretRef, ...settings } = spec;
  const secret = secretRef && (await readSecret(kube, { namespace, name: secretRef.name }));
  const { type = '', address = '', ...rest } = { ...settings, ...secret };
  if (address === '') return undefined;
  if (!isNotifierType(type)) throw new Error(`spec.type is not one of ${known}`);
  const { [formatAnnotation]: format = '' } = metadata.annotations ?? {};
  return receiverOf({ ...rest, type, address, format });
}

const known = Object.keys(notifiers).join(', ');

interface Credentials {
  readonly address: string;
  readonly token?: string;
}

async function readSecret(kube: Kube, { namespace, name }: ProviderName): Promise<Credentials> {
  const secret = await kube.find<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  const title = `secret ${name}.${namespace}`;
  if (secret === undefined) throw new Error(`${title} not found`);
  const { address = '', token = '' } = secret.data ?? {};
  if (address === '') throw new Error(`${title} does not contain an address`);
  return { address: decoded(address), ...(token === '' ? {} : { token: decoded(token) }) };
}

/** Files that Secrets are made from often end in a newline, which no address does. */
function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8').trim();
}

/** What the settings of a chat service come to, with Flagger's defaults. */
export function receiverOf({
  type,
  address,
  channel = '',
  username = '',
  token = '',
  proxy = '',
  format = '',
}: NotifierSettings): Receiver {
  const teamsFormat = formatOf(format);
  return {
    type,
    config: {
      address: urlOf('address', address),
      channel: channel === '' ? 'general' : channel,
      username: username === '' ? 'flagger' : username,
      ...(token === '' ? {} : { token }),
      ...(teamsFormat === undefined ? {} : { teamsFormat }),
    },
    // People write `proxy.example.com:3128`, as in Flagger's own documentation.
    ...(proxy === ''
      ? {}
      : {
          proxy: urlOf('proxy', /^[a-z][a-z0-9+.-]*:\/\//.test(proxy) ? proxy : `http://${proxy}`),
        }),
  };
}

/** The error names no part of what it is about, which may hold a password. */
function urlOf(field: 'address' | 'proxy', text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Error(`its ${field} is no http or https URL`);
  }
  return new URL(text);
}

function formatOf(text: string): TeamsFormat | undefined {
  if (text === '') return undefined;
  const format = teamsFormats.find((name) => name === text);
  if (format !== undefined) return format;
  throw new Error(`${formatAnnotation} is not one of ${teamsFormats.join(', ')}`);
}
