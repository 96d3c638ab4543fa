import type { ObserverName } from '../../domain/providers.js';
import { contour } from './contour.js';
import { http } from './http.js';
import { knative } from './knative.js';
import type { Observer } from './observer.js';

/** Every observer has exactly one pair of queries; a name without one does not compile. */
export const observers = { contour, http, knative } satisfies Record<ObserverName, Observer>;
