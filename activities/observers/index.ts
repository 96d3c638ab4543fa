import type { ObserverName } from '../../domain/providers.js';
import { contour } from './contour.js';
import { http } from './http.js';
import type { Observer } from './observer.js';

/** Every observer has exactly one pair of queries; a name without one does not compile. */
export const observers = { contour, http } satisfies Record<ObserverName, Observer>;
