import type { KubeObject } from '../../domain/objects.js';
import { refOf } from '../../activities/kube.js';
import { connectToApiServer } from '../cluster/api-server.js';
import { manifests, splitsFor } from './cases.js';
import { openRig, type Rig } from './rig.js';

/**
 * What routers render, against the products' own definitions in a real API server: nothing in it
 * is unknown or refused, and it is stored as it was sent, so that a second look finds nothing to do.
 */
const api = connectToApiServer();
let rig: Rig;

beforeAll(async () => {
  rig = await openRig('schema');
}, 120_000);
afterAll(() => rig.close());

it.each(manifests)('%s: is stored as it is rendered', async (_, provider, parts) => {
  const settled = await rig.settle(provider, parts);
  const { canary, router } = settled;
  const early = router.beforePods?.(canary, await settled.live()) ?? [];
  for (const object of early) expectStored(await send(object), object);
  expect(router.beforePods?.(canary, await settled.live()) ?? []).toEqual(
    early.length === 0 ? [] : (await settled.live()).filter(isAmong(early)),
  );

  for (const isNew of [false, true]) {
    for (const split of splitsFor(canary)) {
      if (isNew) await settled.reset();
      const rendered = router.render(canary, split, await settled.live());
      for (const object of rendered) expectStored(await send(object), object);

      const live = await settled.live();
      expect(router.parse(canary, live)).toEqual(split.routes);
      expect(byTitle(router.render(canary, split, live))).toEqual(
        byTitle(live.filter(isAmong(rendered))),
      );
    }
  }
});

/** Creates or replaces an object; what the API server has to say about it is an error. */
async function send(object: KubeObject): Promise<KubeObject> {
  const { name, uid } = object.metadata;
  const place = `${collectionOf(object)}${uid === undefined ? '' : `/${name}`}`;
  const answer = await api.call<KubeObject & { message?: string }>({
    method: uid === undefined ? 'POST' : 'PUT',
    path: `${place}?fieldValidation=Strict`,
    body: object,
  });
  expect([answer.body.message, answer.code]).toEqual([undefined, uid === undefined ? 201 : 200]);
  return answer.body;
}

function expectStored(stored: KubeObject, { metadata, ...rendered }: KubeObject): void {
  const { labels, annotations, ownerReferences } = metadata;
  const { status: _, metadata: found, ...content } = stored;
  const { status: __, ...wanted } = rendered;
  expect(content).toEqual(wanted);
  expect([found.labels, found.annotations]).toEqual([labels, annotations]);
  expect(found.ownerReferences).toEqual(ownerReferences);
}

function collectionOf({ apiVersion, kind, metadata: { namespace } }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${root}${scope}/${pluralOf(kind.toLowerCase())}`;
}

function pluralOf(word: string): string {
  if (/xy$/.test(word)) return word.replace(/y$/, 'ies');
  return word.endsWith('s') ? `${word}es` : `${word}s`;
}

function isAmong(objects: readonly KubeObject[]): (object: KubeObject) => boolean {
  const titles = objects.map(titleOf);
  return (object) => titles.includes(titleOf(object));
}

function byTitle(objects: readonly KubeObject[]): Record<string, KubeObject> {
  return Object.fromEntries(objects.map((object) => [titleOf(object), object]));
}

function titleOf(object: KubeObject): string {
  const { kind, name } = refOf(object);
  return `${kind} ${name}`;
}
