import { readFileSync } from 'node:fs';

/** What an image starts, with the meaning these fields have in an OCI image. */
export type Image = {
  readonly workdir: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** One image map file: image glob (`*` stands for any characters) → what it starts. */
export type ImageMap = Readonly<
  Record<string, Partial<Image> & { readonly entrypoint: readonly string[] }>
>;

/** Where the programs of images lie: this repository, and the folder of what is built from it. */
export type ImageFolders = { readonly repository: string; readonly programs: string };

/** Reads the image map files anew, so that an edited map counts from the next container start on. */
export function readImageMaps(files: readonly string[]): ImageMap[] {
  return files.map((file) => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as ImageMap;
    } catch (cause) {
      throw new Error(`image map ${file} cannot be read: ${String(cause)}`, { cause });
    }
  });
}

/**
 * The image a reference stands for, or undefined when no map knows it. A later map wins over an earlier
 * one; within a map the glob with the most literal characters wins. `{repo}`, `{programs}` and `{tag}` are filled in.
 */
export function findImage(
  maps: readonly ImageMap[],
  reference: string,
  folders: ImageFolders,
): Image | undefined {
  for (const map of [...maps].reverse()) {
    const [best] = Object.keys(map)
      .filter((glob) => globMatches(glob, reference))
      .sort((a, b) => literalLength(b) - literalLength(a));
    const entry = best === undefined ? undefined : map[best];
    if (entry !== undefined) return filledIn(entry, folders, imageTag(reference));
  }
  return undefined;
}

/** The tag of an image reference; `latest` when it has none. */
export function imageTag(reference: string): string {
  const [name = ''] = reference.split('@');
  const tag = /:([^/:]+)$/.exec(name);
  return tag?.[1] ?? 'latest';
}

function globMatches(glob: string, reference: string): boolean {
  const pattern = glob
    .split('*')
    .map((literal) => literal.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  const whole = new RegExp(`^${pattern}$`, 's');
  return whole.test(reference) || whole.test(`${reference}:latest`);
}

function literalLength(glob: string): number {
  return glob.replaceAll('*', '').length;
}

function filledIn(entry: ImageMap[string], folders: ImageFolders, tag: string): Image {
  const { repository, programs } = folders;
  const fill = (text: string): string =>
    text
      .replaceAll('{repo}', repository)
      .replaceAll('{programs}', programs)
      .replaceAll('{tag}', tag);
  return {
    workdir: fill(entry.workdir ?? '/'),
    entrypoint: entry.entrypoint.map(fill),
    cmd: (entry.cmd ?? []).map(fill),
    env: Object.fromEntries(Object.entries(entry.env ?? {}).map(([k, v]) => [k, fill(v)])),
  };
}
