import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { V1Container, V1Pod } from '@kubernetes/client-node';

import { commandLine } from './command-line.js';
import { startProcess } from './container-process.js';
import type { ContainerProcess } from './container-process.js';
import type { Image } from './images.js';
import { lastLines } from './log-file.js';
import type { BindMount } from './mount-plan.js';
import type { NodeServices } from './node-services.js';
import { volumeMounts } from './volume-mounts.js';
import type { Bell } from './waiting.js';

/** What a container needs of the pod it belongs to. */
export type PodContext = {
  readonly node: NodeServices;
  /** The pod in its newest form. */
  readonly pod: () => V1Pod;
  /** Known once the pod's namespaces stand. */
  readonly addresses: () => { readonly podIp: string; readonly holderPid: number };
  readonly directory: string;
  readonly logsDirectory: string;
  /** Mounts that every container of the pod has, such as its hosts file. */
  readonly sharedMounts: () => readonly BindMount[];
  readonly volumePath: Parameters<typeof volumeMounts>[3];
  readonly environment: (container: V1Container, image: Image) => Record<string, string>;
  /** Rings when a ConfigMap or Secret of the namespace has changed. */
  readonly bell: Bell;
  /** To be called when a record has changed. */
  readonly changed: () => void;
};

/** One run of a container. */
export type Launch = {
  readonly environment: Readonly<Record<string, string>>;
  /** Scratch directory of this run: /tmp, layers, mount table. */
  readonly directory: string;
  readonly log: string;
  readonly process: ContainerProcess;
};

/** Why a container could not be launched, with the kubelet's reason. */
export type LaunchFailure = {
  readonly kind: 'failed';
  readonly reason: 'ErrImagePull' | 'CreateContainerConfigError' | 'CreateContainerError';
  readonly message: string;
};

/** Longest termination message that is passed on, characters. */
const messageLimit = 4096;

/** Finds the image, puts the environment and the view together and starts the process. */
export async function launchContainer(
  container: V1Container,
  context: PodContext,
  run: { readonly directory: string; readonly log: string },
): Promise<{ readonly kind: 'launched'; readonly launch: Launch } | LaunchFailure> {
  let reason: LaunchFailure['reason'] = 'ErrImagePull';
  try {
    const image = context.node.findImage(container.image ?? '');
    if (image === undefined) {
      throw new Error(`no image map has an entry for "${container.image ?? ''}"`);
    }
    reason = 'CreateContainerConfigError';
    const environment = context.environment(container, image);
    reason = 'CreateContainerError';
    const fstab = await prepareView(container, context, { image, environment, ...run });
    const process = startProcess({
      ...commandLine(image, container, environment),
      holderPid: context.addresses().holderPid,
      root: context.node.views.root,
      logFile: run.log,
      ...{ fstab, environment },
    });
    return { kind: 'launched', launch: { ...run, environment, process } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason, message };
  }
}

type View = {
  readonly image: Image;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
};

function prepareView(
  container: V1Container,
  context: PodContext,
  { image, environment, directory }: View,
): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const messageFile = join(directory, terminationLog);
  writeFileSync(messageFile, '');
  const mounts: BindMount[] = [
    ...context.sharedMounts(),
    {
      source: messageFile,
      target: container.terminationMessagePath ?? `/dev/${terminationLog}`,
      kind: 'file',
      readOnly: false,
    },
    ...volumeMounts(container, context.pod(), environment, context.volumePath),
  ];
  const imagePaths = [image.workdir, ...image.entrypoint, ...image.cmd];
  return context.node.views.prepare(directory, mounts, imagePaths);
}

const terminationLog = 'termination-log';

/** What the container wrote as its last words, or the end of its log if it asks for that. */
export async function terminationMessage(
  container: V1Container,
  { directory, log }: Launch,
  exitCode: number,
): Promise<string> {
  const written = await readFile(join(directory, terminationLog), 'utf8').catch(() => '');
  const asksForLog = container.terminationMessagePolicy === 'FallbackToLogsOnError';
  if (written === '' && exitCode !== 0 && asksForLog) return lastLines(log, 80, 2048);
  return written.slice(0, messageLimit);
}
