import type { ObserverName } from '../../domain/providers.js';
import { apisix } from './apisix.js';
import { appMesh } from './app-mesh.js';
import { contour } from './contour.js';
import { gloo } from './gloo.js';
import { http } from './http.js';
import { istio } from './istio.js';
import { knative } from './knative.js';
import { kuma } from './kuma.js';
import { linkerd } from './linkerd.js';
import { nginx } from './nginx.js';
import type { Observer } from './observer.js';
import { osm } from './osm.js';
import { skipper } from './skipper.js';
import { traefik } from './traefik.js';

/** Every observer has exactly one pair of queries; a name without one does not compile. */
export const observers = {
  apisix,
  appMesh,
  contour,
  gloo,
  http,
  istio,
  knative,
  kuma,
  linkerd,
  nginx,
  osm,
  skipper,
  traefik,
} satisfies Record<ObserverName, Observer>;
