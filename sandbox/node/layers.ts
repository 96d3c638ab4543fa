import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runCommand } from './command.js';
import { fstabLine, overlayLine } from './fstab.js';

/**
 * Puts writable layers over directories of the host. Usually an overlay; where the kernel refuses one
 * (too old, or the host has mounts of its own below the directory) every entry is bound one by one.
 */
export class Layers {
  private readonly overlayWorks = new Map<string, Promise<boolean>>();

  constructor(private readonly stateDir: string) {}

  /** The mounts that show `lower` with `upper` on top at `target`; `upper` holds its mount points already. */
  async mounts(lower: string, upper: string, target: string): Promise<string> {
    if (await this.canOverlay(lower)) {
      const work = `${upper}.work`;
      mkdirSync(work, { recursive: true });
      return overlayLine(target, { lower, upper, work });
    }
    return bindEntries(lower, upper, target);
  }

  private canOverlay(lower: string): Promise<boolean> {
    const known = this.overlayWorks.get(lower);
    if (known !== undefined) return known;
    const trial = this.tryOverlay(
      lower,
      join(this.stateDir, `overlay-trial-${this.overlayWorks.size}`),
    );
    this.overlayWorks.set(lower, trial);
    return trial;
  }

  private async tryOverlay(lower: string, directory: string): Promise<boolean> {
    const [upper, work, target] = ['upper', 'work', 'target'].map((name) => join(directory, name));
    if (upper === undefined || work === undefined || target === undefined) return false;
    for (const path of [upper, work, target]) mkdirSync(path, { recursive: true });
    const table = join(directory, 'fstab');
    writeFileSync(table, overlayLine(target, { lower, upper, work }));
    const mount = ['mount', '--all', '--fstab', table];
    const { exitCode } = await runCommand(['unshare', '--mount', ...mount]);
    return exitCode === 0;
  }
}

function bindEntries(lower: string, upper: string, target: string): string {
  const added = new Set(readdirSync(upper));
  const lines = readdirSync(lower, { withFileTypes: true }).flatMap((entry) => {
    const [from, to] = [join(lower, entry.name), join(upper, entry.name)];
    if (added.has(entry.name)) {
      // A directory that gets mount points itself is layered in turn.
      return entry.isDirectory() ? [bindEntries(from, to, join(target, entry.name))] : [];
    }
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else if (entry.isDirectory()) mkdirSync(to);
    else if (entry.isFile()) writeFileSync(to, '');
    else return [];
    return entry.isSymbolicLink() ? [] : [fstabLine(from, join(target, entry.name), 'rbind')];
  });
  return [fstabLine(upper, target, 'bind'), ...lines].join('');
}
