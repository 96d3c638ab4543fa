import { googleLogin } from '../../activities/metrics/google-login.js';
import { failureOf } from './laws.js';
import { startReplayServer, type ReplayServer } from './replay-server.js';

/** The metadata server of a pod in Google's cloud, which has its own identity: Workload Identity. */
let metadata: ReplayServer;
beforeAll(async () => {
  metadata = await startReplayServer();
  process.env['GCE_METADATA_HOST'] = metadata.address.replace('http://', '');
  process.env['HOME'] = '/nonexistent';
});
afterAll(() => metadata.stop());

const headers = { 'Metadata-Flavor': 'Google', 'content-type': 'application/json' };
const answers = (token: object, status = 200): void => {
  metadata.answer(({ path }) => {
    if (path.endsWith('/token')) return { status, headers, body: JSON.stringify(token) };
    const text = { ...headers, 'content-type': 'text/plain' };
    if (path.endsWith('/project-id')) return { headers: text, body: 'the-workers' };
    return { headers: text, body: path.endsWith('universe-domain') ? 'googleapis.com' : 'ok' };
  });
};

it('fails when there is no token, and says so', async () => {
  answers({ error: 'forbidden' }, 403);

  expect((await failureOf(googleLogin({}).token())).message).toMatch(/token|Forbidden/);
});

it("is the worker's own, of its own project, without a Secret", async () => {
  answers({ access_token: 'worker-token', expires_in: 3_600, token_type: 'Bearer' });

  const { project, token, isWorkers } = googleLogin({});

  expect(await project()).toBe('the-workers');
  expect(await token()).toBe('worker-token');
  expect(isWorkers).toBe(true);
  const asked = metadata.asked.find(({ path }) => path.endsWith('/token'));
  expect(asked?.headers['metadata-flavor']).toBe('Google');
});

it("is the worker's own, for the project of the Secret", async () => {
  answers({ access_token: 'worker-token', expires_in: 3_600, token_type: 'Bearer' });

  const { project, token } = googleLogin({ credentials: { project: 'theirs' } });

  expect(await project()).toBe('theirs');
  expect(await token()).toBe('worker-token');
});
