import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import axios from 'axios';

import type { KubeObject } from '../../../domain/objects.js';
import { provideTools } from '../../../sandbox/tools/provide.js';
import { until } from '../../e2e/until.js';
import { freePort, spawnBeside } from '../../providers/tool-server.js';

/** Kuma's control plane outside of Kubernetes, and the Envoys it leads: of a client and of services. */
export interface KumaMesh {
  /** Where the client's Envoy listens for the service it was opened for. */
  readonly url: string;
  /** Gives the control plane a route as Kubernetes would have it stored. */
  write(route: KubeObject): Promise<void>;
  close(): Promise<void>;
}

/** A service of the mesh, by the name Kuma has for it, and the port of the program behind it. */
export interface MeshService {
  readonly name: string;
  readonly port: number;
}

const mesh = 'default';
const host = '127.0.0.1';

/** Opens a mesh with some services, and a client of `apex`, which none of them need be. */
export async function openKumaMesh(
  apex: string,
  services: readonly MeshService[],
): Promise<KumaMesh> {
  const { 'kuma-cp': kumaCp = '', envoy = '' } = await provideTools(['kuma-cp', 'envoy'], {
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kuma-'));
  const [api, proxies, assignments, diagnostics, outbound] = await Promise.all(
    Array.from({ length: 5 }, freePort),
  );
  const control = axios.create({ baseURL: `http://${host}:${String(api)}`, proxy: false });
  const processes: ChildProcess[] = [];

  function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    processes.push(spawnBeside(argv, { HOME: folder, ...env }));
  }

  async function put(path: string, body: object): Promise<void> {
    await control.put(`/meshes/${mesh}/${path}`, body);
  }

  /** Starts an Envoy that Kuma leads by what is said here of its place in the mesh. */
  async function runEnvoy(name: string, networking: object): Promise<void> {
    const admin = await freePort();
    await put(`dataplanes/${name}`, {
      ...{ type: 'Dataplane', mesh, name },
      networking: { address: host, admin: { port: admin }, ...networking },
    });
    const ca = await readFile(join(folder, 'kuma-cp.crt'), 'utf8');
    const file = join(folder, `${name}.yaml`);
    await writeFile(file, await bootstrapOf(name, { port: proxies, ca }));
    run([envoy, '-c', file, '--use-dynamic-base-id', '--concurrency', '1']);
  }

  run([kumaCp, 'run'], {
    KUMA_GENERAL_WORK_DIR: folder,
    KUMA_REPORTS_ENABLED: 'false',
    KUMA_API_SERVER_HTTP_INTERFACE: host,
    KUMA_API_SERVER_HTTP_PORT: String(api),
    KUMA_API_SERVER_HTTPS_ENABLED: 'false',
    KUMA_DP_SERVER_PORT: String(proxies),
    KUMA_DP_SERVER_AUTH_TYPE: 'none',
    KUMA_MONITORING_ASSIGNMENT_SERVER_PORT: String(assignments),
    KUMA_DIAGNOSTICS_SERVER_PORT: String(diagnostics),
    KUMA_BOOTSTRAP_SERVER_PARAMS_XDS_HOST: 'localhost',
  });
  await until("Kuma's control plane", () => answers(control.get(`/meshes/${mesh}`)), 60_000);
  for (const { name, port: servicePort } of services) {
    const port = await freePort();
    const tags = { 'kuma.io/service': name, 'kuma.io/protocol': 'http' };
    await runEnvoy(name.replace(/_.*/, ''), { inbound: [{ port, servicePort, tags }] });
  }
  await runEnvoy('client', {
    gateway: { type: 'DELEGATED', tags: { 'kuma.io/service': 'edge' } },
    outbound: [{ port: outbound, tags: { 'kuma.io/service': apex } }],
  });

  return {
    url: `http://${host}:${String(outbound)}/`,
    write: ({ metadata: { name }, spec }) =>
      put(`traffic-routes/${name}`, { type: 'TrafficRoute', mesh, name, ...(spec as object) }),
    async close() {
      for (const child of processes) {
        if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
      }
      await rm(folder, { recursive: true });
    },
  };
}

/** What an Envoy starts with, as its control plane has it. */
async function bootstrapOf(
  name: string,
  { port, ca }: { readonly port: number | undefined; readonly ca: string },
): Promise<string> {
  const asked = httpsRequest({
    ...{ method: 'POST', host: 'localhost', port, path: '/bootstrap', ca },
    headers: { 'content-type': 'application/json' },
  });
  // It writes for Envoys of its own time: the newest API they have is still Envoy's.
  const version = { kumaDp: { version: '1.8.1' }, envoy: { version: '1.22.0' } };
  asked.end(JSON.stringify({ mesh, name, proxyType: 'dataplane', version, caCert: ca }));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  if (answer.statusCode !== 200) throw new Error(`no bootstrap for ${name}: ${text}`);
  return text;
}

function answers(request: Promise<unknown>): Promise<boolean> {
  return request.then(
    () => true,
    () => false,
  );
}
