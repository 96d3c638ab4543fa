import { observers } from '../activities/observers/index.js';
import { routersOf } from '../activities/routers/index.js';
import {
  capabilitiesFor,
  observerOf,
  providers,
  routedBy,
  type Provider,
} from '../domain/providers.js';
import { someSettings } from '../test/activities/a-canary.js';
import { at } from '../test/activities/routers/laws.js';
import { canaryFrom, subjects, type Routed } from '../test/routers/cases.js';
import { crdSources, type CrdProduct } from '../test/routers/crds.js';
import { definitionNotes, proofs } from '../test/routers/proofs.js';

/** The text of docs/providers.md: what the tables of the product and of its tests say, as one. */
export function providersDoc(): string {
  return `# Traffic providers

What \`spec.provider\` of a Canary can be, and what each of them can do. A manifest that asks for more is refused before anything moves. This
page is made from the product's own tables by \`npm run docs:providers\`.

${table(matrixHeader, matrix())}

- _Weights_: a share of the traffic, step by step, up and (with \`stepWeightPromotion\`) down again. _A/B_: requests told apart by
  \`analysis.match\`. _Mirror_: copies of requests for the canary. _Affinity_: cookies that keep clients on the version they got first.
- _Blue/green_ works with every provider. With \`kubernetes\` only the promotion, or pods that move, bring users to the new version.
- _Built-in metrics_ are \`request-success-rate\` and \`request-duration\`, in the series of the product named; the latter is the time
  that 99 % of the requests stay under, or their mean where the product measures nothing else.

## What each writes

${table(objectsHeader, objects())}

## What is proved, and how

All routers keep the same laws: what they write is read back as the same weights, fields of others stay, a weight is never reset by a repair. Beyond
that, a real Kubernetes API server takes the objects under strict validation, stores them as they were sent, and has them repaired once
when somebody changes them. Requests have gone through those that are named with a data plane.

${table(proofsHeader, proofRows())}

${table(sourcesHeader, sources())}

Behind Istio's control plane was the published Envoy, as a gateway without sidecars: weights, A/B testing, copies, cookies and releases were tried. It
lacks the filters of Istio's own build, so that the built-in metrics were not: the application's own judged. Nor were sidecars, TCP or delegation.

Behind Kuma's control plane, outside of Kubernetes, were published Envoys, of a client and of both versions: weights and their changes were tried, mTLS
and the built-in metrics were not. Kuma has routes in its listeners, so that a connection keeps the weights it was opened under until it is drained; and a
version whose weight becomes 0 it takes away at once, whereupon requests on older connections fail (HTTP 503).

No definition is published for \`appmesh:v1beta2\`, whose objects the API server took with any fields, and none that fits the weights of
\`smi:v1alpha1\` (which \`linkerd\` writes too): a definition of the fields of the SMI SDK for Go was used.

## Retired upstream

- **SMI** (\`smi:…\`, and \`linkerd\`, which splits traffic by it) was archived by the CNCF in 2023. With Linkerd use \`gatewayapi:v1\` and a
  \`gatewayRefs\` entry that names the service.
- **Open Service Mesh** (\`osm\`) was archived in 2023.
- **App Mesh** (\`appmesh\`, \`appmesh:v1beta2\`) was ended by AWS on 30 September 2026.

They are here for manifests and meshes that are there already; nothing new should be built on them.
`;
}

const matrixHeader = ['Provider', 'Weights', 'A/B', 'Mirror', 'Affinity', 'Built-in metrics'];

function matrix(): string[][] {
  return providers.flatMap((provider) => [
    capabilityRow(code(provider), provider, {}),
    ...(provider === 'istio' ? [capabilityRow(`${code(provider)} (TCP)`, provider, tcp)] : []),
  ]);
}

const tcp = { appProtocol: 'tcp' };

function capabilityRow(title: string, provider: Provider, service: object): string[] {
  const { weigh, matchRequests, mirror, affinity } = capabilitiesFor(provider, service);
  return [title, ...[weigh, matchRequests, mirror, affinity].map(yesOrNo), metricsOf(provider)];
}

function yesOrNo(can: boolean): string {
  return can ? 'yes' : '–';
}

function metricsOf(provider: Provider): string {
  const name = observerOf[provider];
  const statistic = observers[name].duration.includes('histogram_quantile') ? 'p99' : 'mean';
  return `${name === 'http' ? "the application's own" : name}, ${statistic}`;
}

const objectsHeader = ['Provider', 'Objects', 'Beside the route of yours named by'];

function objects(): string[][] {
  return providers.map((provider) => {
    const route = routedBy[provider];
    return [
      code(provider),
      isRouted(provider) ? writtenBy(provider) : 'none',
      route === undefined ? '' : code(`spec.${route}`),
    ];
  });
}

function isRouted(provider: Provider): provider is Routed {
  return provider !== 'kubernetes';
}

/** The kinds of the objects that the plainest manifest has, with how many there are of each. */
function writtenBy(provider: Routed): string {
  const { seeds = [], canaries } = subjects[provider];
  const [plain = {}] = Object.values(canaries);
  const rendered =
    routersOf(someSettings)[provider]?.render(canaryFrom(provider, plain), at(0), seeds) ?? [];
  const counts = new Map<string, number>();
  for (const { apiVersion, kind } of rendered) {
    const title = code(`${apiVersion} ${kind}`);
    counts.set(title, (counts.get(title) ?? 0) + 1);
  }
  return [...counts]
    .map(([title, count]) => (count === 1 ? title : `${String(count)} ${title}`))
    .join(', ');
}

const proofsHeader = ['Provider', 'Proved on', 'Definitions in the API server'];

function proofRows(): string[][] {
  return providers.map((provider) => {
    const { live, definitions } = proofs[provider];
    return [
      code(provider),
      live === undefined ? '' : `requests through ${live.plane}`,
      definitions === undefined ? '' : definitionTitles[definitions],
    ];
  });
}

const productTitles: Readonly<Record<CrdProduct, string>> = {
  'app-mesh': 'App Mesh',
  apisix: 'APISIX',
  contour: 'Contour',
  'gateway-api': 'Gateway API',
  gloo: 'Gloo',
  istio: 'Istio',
  knative: 'Knative',
  kuma: 'Kuma',
  smi: 'SMI',
  traefik: 'Traefik',
};

const definitionTitles = {
  ...productTitles,
  kubernetes: "Kubernetes' own kinds",
  made: 'made for the test',
};

const sourcesHeader = ['Definitions', 'Published in', 'Notes'];

function sources(): string[][] {
  const products = Object.keys(crdSources) as CrdProduct[];
  return products.map((product) => {
    const { module, version } = crdSources[product];
    return [productTitles[product], code(`${module}@v${version}`), definitionNotes[product] ?? ''];
  });
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A table as Prettier writes it. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, i) =>
    Math.max(3, ...[header, ...rows].map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [header, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}
