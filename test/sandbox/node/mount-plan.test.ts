import { planMounts } from '../../../sandbox/node/mount-plan.js';
import type { BindMount, Surroundings } from '../../../sandbox/node/mount-plan.js';

const present: Record<string, 'file' | 'directory' | 'other'> = {
  '/': 'directory',
  '/etc': 'directory',
  '/etc/hosts': 'file',
  '/etc/resolv.conf': 'other',
  '/var': 'directory',
  '/var/lib': 'directory',
  '/dev': 'directory',
};
const surroundings: Surroundings = {
  root: '/root-of-all',
  upperOf: (directory) => `/upper${directory}`,
  kindOf: (path) => present[path],
  isOurs: (directory) => directory === '/' || directory === '/dev',
};

function bind(target: string, overrides: Partial<BindMount> = {}): BindMount {
  return { source: `/source${target}`, target, kind: 'directory', readOnly: false, ...overrides };
}

describe('planMounts', () => {
  it('mounts onto what is there', () => {
    const hosts = bind('/etc/hosts', { kind: 'file' });
    expect(planMounts([hosts], surroundings)).toEqual({
      mountPoints: [],
      layered: [],
      binds: [hosts],
    });
  });

  it('makes new top-level directories in the shared root', () => {
    expect(planMounts([bind('/data/db')], surroundings)).toMatchObject({
      mountPoints: [{ path: '/root-of-all/data/db', kind: 'directory' }],
      layered: [],
    });
  });

  it('puts one layer over each directory of the host that lacks a mount point', () => {
    const wanted = [
      bind('/etc/resolv.conf', { kind: 'file' }),
      bind('/etc/contour/tls'),
      bind('/var/lib/thing'),
    ];
    expect(planMounts(wanted, surroundings)).toMatchObject({
      layered: ['/etc', '/var/lib'],
      mountPoints: [
        { path: '/upper/etc/resolv.conf', kind: 'file' },
        { path: '/upper/etc/contour/tls', kind: 'directory' },
        { path: '/upper/var/lib/thing', kind: 'directory' },
      ],
    });
  });

  it('mounts outer volumes first and makes inner mount points inside them', () => {
    const inner = bind('/data/inner/deep');
    const outer = bind('/data');
    expect(planMounts([inner, outer], surroundings)).toEqual({
      layered: [],
      mountPoints: [
        { path: '/root-of-all/data', kind: 'directory' },
        { path: '/source/data/inner/deep', kind: 'directory' },
      ],
      binds: [outer, inner],
    });
  });
});
