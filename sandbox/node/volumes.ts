import { access, chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

import type { V1Pod, V1ProjectedVolumeSource, V1Volume } from '@kubernetes/client-node';

import type { Api } from './api.js';
import { writeAtomically } from './atomic-directory.js';
import type { ClusterObjects } from './cluster-objects.js';
import type { PodAddresses } from './downward.js';
import { identity } from './identity.js';
import { issueToken } from './service-account-tokens.js';
import type { IssuedToken } from './service-account-tokens.js';
import { MissingVolumeSource, configMapFiles, downwardFiles, secretFiles } from './volume-files.js';
import type { VolumeFile } from './volume-files.js';

/** What volumes are made from. */
export type VolumeSources = {
  readonly api: Api;
  readonly objects: ClusterObjects;
  /** Where hostPath volumes live; `/var/lib/sluice-sandbox` in manifests. */
  readonly hostDir: string;
};

/** The only part of the host that hostPath volumes reach. */
const hostPathRoot = '/var/lib/sluice-sandbox';
const usualMode = 0o644;

/** The pod whose volumes are made. */
type Owner = { readonly pod: V1Pod; readonly addresses: PodAddresses };

/** The volumes of one pod: made before its containers start, and kept up to date while they run. */
export class PodVolumes {
  private readonly written = new Map<string, { readonly hash: string; readonly version: number }>();
  private readonly tokens = new Map<string, IssuedToken>();

  constructor(
    private readonly directory: string,
    private readonly sources: VolumeSources,
  ) {}

  /** Makes or refreshes all volumes. Throws a MissingVolumeSource while something is not there yet. */
  async refresh(pod: V1Pod, addresses: PodAddresses): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      const files = await this.filesOf(volume, { pod, addresses });
      if (files === undefined) {
        await this.makeDirectory(volume);
      } else {
        await this.write(volume.name, files);
      }
    }
  }

  /** When the first ServiceAccount token wants to be replaced; undefined without tokens. */
  renewAtMs(): number | undefined {
    const moments = [...this.tokens.values()].map(({ renewAtMs }) => renewAtMs);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  /** Where a volume's content lies on the node. */
  pathOf(volume: V1Volume): string {
    const hostPath = volume.hostPath?.path;
    if (hostPath === undefined) return join(this.directory, volume.name);
    const path = normalize(hostPath);
    if (path !== hostPathRoot && !path.startsWith(`${hostPathRoot}/`)) {
      throw new MissingVolumeSource(`hostPath "${hostPath}" is not below ${hostPathRoot}`);
    }
    return join(this.sources.hostDir, path.slice(hostPathRoot.length));
  }

  /** The generated files of a volume, or undefined for those that pods fill themselves. */
  private async filesOf(volume: V1Volume, owner: Owner): Promise<VolumeFile[] | undefined> {
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap !== undefined) return this.configMap(configMap, owner, configMap.defaultMode);
    if (secret !== undefined) return this.secret(secret, owner, secret.defaultMode);
    if (downwardAPI !== undefined) {
      const { items, defaultMode } = downwardAPI;
      return downwardFiles(items, owner.pod, owner.addresses, defaultMode ?? usualMode);
    }
    return projected === undefined ? undefined : this.projected(volume.name, projected, owner);
  }

  private async projected(
    name: string,
    { sources = [], defaultMode }: V1ProjectedVolumeSource,
    owner: Owner,
  ): Promise<VolumeFile[]> {
    const files: VolumeFile[] = [];
    for (const { configMap, secret, downwardAPI, serviceAccountToken } of sources) {
      if (configMap !== undefined) files.push(...this.configMap(configMap, owner, defaultMode));
      if (secret !== undefined) {
        const { name: secretName, items, optional } = secret;
        files.push(
          ...this.secret(
            {
              ...(secretName === undefined ? {} : { secretName }),
              ...(items === undefined ? {} : { items }),
              ...(optional === undefined ? {} : { optional }),
            },
            owner,
            defaultMode,
          ),
        );
      }
      if (downwardAPI !== undefined) {
        const mode = defaultMode ?? usualMode;
        files.push(...downwardFiles(downwardAPI.items, owner.pod, owner.addresses, mode));
      }
      if (serviceAccountToken !== undefined) {
        const { path } = serviceAccountToken;
        const issue = (): Promise<IssuedToken> =>
          issueToken(this.sources.api, owner.pod, serviceAccountToken);
        const content = Buffer.from(await this.token(`${name}/${path}`, issue));
        files.push({ path, content, mode: defaultMode ?? usualMode });
      }
    }
    return files;
  }

  private configMap(
    source: Parameters<typeof configMapFiles>[0],
    { pod }: Owner,
    mode: number | undefined,
  ): VolumeFile[] {
    const { configMaps } = this.sources.objects;
    const object = configMaps.get(identity(pod).namespace, source.name ?? '');
    return configMapFiles(source, object, mode ?? usualMode);
  }

  private secret(
    source: Parameters<typeof secretFiles>[0],
    { pod }: Owner,
    mode: number | undefined,
  ): VolumeFile[] {
    const { secrets } = this.sources.objects;
    const object = secrets.get(identity(pod).namespace, source.secretName ?? '');
    return secretFiles(source, object, mode ?? usualMode);
  }

  private async token(key: string, issue: () => Promise<IssuedToken>): Promise<string> {
    const held = this.tokens.get(key);
    if (held !== undefined && Date.now() < held.renewAtMs) return held.token;
    const issued = await issue();
    this.tokens.set(key, issued);
    return issued.token;
  }

  private async write(name: string, files: readonly VolumeFile[]): Promise<void> {
    const hash = JSON.stringify(
      files.map(({ path, content, mode }) => [path, mode, content.toString('base64')]),
    );
    const before = this.written.get(name);
    if (before?.hash === hash) return;
    const version = (before?.version ?? 0) + 1;
    await writeAtomically(join(this.directory, name), files, version);
    this.written.set(name, { hash, version });
  }

  private async makeDirectory(volume: V1Volume): Promise<void> {
    const path = this.pathOf(volume);
    const type = volume.hostPath?.type ?? '';
    if (type === 'FileOrCreate') {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, '', { flag: 'a' });
    } else if (type === 'Directory' || type === 'File') {
      await access(path).catch(() => {
        throw new MissingVolumeSource(`hostPath "${volume.hostPath?.path ?? ''}" does not exist`);
      });
    } else {
      await mkdir(path, { recursive: true });
      if (volume.hostPath === undefined) await chmod(path, 0o777);
    }
  }
}
