import { connectKube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { listWatchOf, type ListWatch } from '../../worker/list-watch.js';
import { jsonLogger } from '../../worker/log.js';
import { reflect } from '../../worker/reflector.js';

const namespace = `reflector-${process.pid}`;
const kube = connectKube();

beforeAll(() => kube.create(aNamespace()));
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);

it('lists anew when the version it watches from is too old', async () => {
  const source = deployments();
  const lines: string[] = [];
  let lists = 0;
  const reflector = reflect({
    source: {
      ...source,
      list() {
        lists += 1;
        return source.list();
      },
      // How long the API server remembers is its own affair, so its answer is given for it once.
      watch(options) {
        if (lists > 1) return source.watch(options);
        queueMicrotask(() => {
          options.seen('ERROR', tooOld);
          options.ended();
        });
        return Promise.resolve(new AbortController());
      },
    },
    log: jsonLogger('warn', (line) => lines.push(line)),
  });
  const seen = new Promise<string>((resolve) => {
    reflector.onChange((key) => resolve(key));
  });
  await reflector.untilSynced();
  await kube.create(aDeployment('late'));

  expect(await seen).toBe(`${namespace}/late`);
  expect(lists).toBe(2);
  expect(lines.join()).toContain('410 too old resource version');
  reflector.stop();
});

it('tells once of a kind the cluster does not have, and sees it when it comes', async () => {
  const missing = listWatchOf(kube, { apiVersion: 'nobody.example/v1', kind: 'Thing' });
  const there = deployments();
  const lines: string[] = [];
  let lists = 0;
  const reflector = reflect({
    source: {
      ...there,
      list() {
        lists += 1;
        return lists <= 3 ? missing.list() : there.list();
      },
    },
    log: jsonLogger('warn', (line) => lines.push(line)),
    absentForMs: 10,
  });
  await reflector.untilSynced();
  reflector.stop();

  expect(lists).toBe(4);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('nothing to watch until its CRD is installed');
});

it('shows what was made, changed and deleted, in order', async () => {
  const reflector = reflect({ source: deployments(), log: jsonLogger('error') });
  await reflector.untilSynced();
  const key = `${namespace}/web`;
  const shown: string[] = [];
  const gone = new Promise<void>((resolve) => {
    reflector.onChange((changed, now, before) => {
      // Controllers write too.
      if (changed !== key || noteOf(now) === noteOf(before)) return;
      shown.push(`${noteOf(before)} → ${noteOf(now)}`);
      if (now === undefined) resolve();
    });
  });
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' };
  await kube.create(aDeployment('web'));
  await kube.patch(ref, { metadata: { annotations: { note: 'b' } } });
  await kube.remove(ref);
  await gone;
  expect(shown).toEqual(['none → a', 'a → b', 'b → none']);
  expect(reflector.get(key)).toBeUndefined();
  reflector.stop();
});

/** What the API server sends to a watch that begins before the changes it still remembers. */
const tooOld = {
  apiVersion: 'v1',
  kind: 'Status',
  metadata: {},
  status: 'Failure',
  message: 'too old resource version: 1 (2)',
  reason: 'Expired',
  code: 410,
} as unknown as KubeObject;

function deployments(): ListWatch<KubeObject> {
  return listWatchOf(kube, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace,
  });
}

function aNamespace(): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
}

/** A Deployment without pods, noted `a`. */
function aDeployment(name: string): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, annotations: { note: 'a' } },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'app', image: 'web:1' }] },
      },
    },
  };
}

function noteOf(object: KubeObject | undefined): string {
  return object?.metadata.annotations?.['note'] ?? 'none';
}
