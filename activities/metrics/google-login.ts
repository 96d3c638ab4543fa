import { GoogleAuth, JWT } from 'google-auth-library';

import { isFields } from './answers.js';
import type { ProviderConfig } from './provider.js';
import { credential } from './secrets.js';

/** Who asks Google, and about which project. */
export interface GoogleLogin {
  readonly project: () => Promise<string>;
  /** A token for the header Authorization. */
  readonly token: () => Promise<string>;
  /** What must not be shown, besides the token. */
  readonly secrets: readonly string[];
  /** Whether it is the worker itself that asks. */
  readonly isWorkers: boolean;
}

const scopes = ['https://www.googleapis.com/auth/monitoring.read'];

/** The worker's own identity; the library finds it once and renews its tokens. */
const worker = new GoogleAuth({ scopes });

/**
 * The login of a template: the service account whose key is in the Secret, else the worker's own
 * (application default credentials). The project is that of the Secret, else the worker's.
 */
export function googleLogin(config: ProviderConfig): GoogleLogin {
  const workers = { token: workersToken, secrets: [], isWorkers: true };
  if (config.credentials === undefined) {
    return { ...workers, project: () => worker.getProjectId() };
  }
  const project = credential(config, 'project');
  if (!/^[\w.:-]+$/.test(project)) throw new Error('project in the Secret must be the id of one');
  const about = { project: () => Promise.resolve(project) };
  const { serviceAccountKey = '' } = config.credentials;
  if (serviceAccountKey === '') return { ...workers, ...about };
  const account = accountIn(serviceAccountKey);
  return {
    ...about,
    token: () => signedToken(account),
    secrets: [serviceAccountKey, account.key],
    isWorkers: false,
  };
}

async function workersToken(): Promise<string> {
  const token = await worker.getAccessToken();
  if (typeof token !== 'string' || token === '') throw new Error('the worker got no token');
  return token;
}

interface Account {
  readonly email: string;
  readonly key: string;
  readonly keyId?: string;
}

/**
 * Reads the JSON of a key. Keys of other types are refused, because they may name files and
 * addresses for the worker to read.
 */
function accountIn(json: string): Account {
  const { type, client_email: email, private_key: key, private_key_id: keyId } = fieldsIn(json);
  const isAccount = type === 'service_account' && typeof email === 'string';
  if (!isAccount || typeof key !== 'string') {
    throw new Error(
      'serviceAccountKey must be the JSON of a service account: its type, client_email and private_key',
    );
  }
  return { email, key, ...(typeof keyId === 'string' ? { keyId } : {}) };
}

function fieldsIn(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

/** A token the account signs itself, for which nobody has to be asked: https://google.aip.dev/auth/4111 */
async function signedToken(account: Account): Promise<string> {
  const jwt = new JWT({ ...account, scopes });
  jwt.useJWTAccessWithScope = true;
  const headers = await jwt.getRequestHeaders();
  return (headers.get('authorization') ?? '').replace(/^Bearer /, '');
}
