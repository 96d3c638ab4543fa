import type { TargetKind } from '../canary.js';
import { targetKindOf } from '../targets.js';
import type { WireAnalysis, WireSpec } from './wire.js';

/** A manifest that is being read, with what most of its rules ask for. */
export interface Draft {
  readonly spec: WireSpec;
  /** The provider it names, or the default one; not known to exist. */
  readonly provider: string;
  /** Undefined when it is none that can be released. */
  readonly targetKind: TargetKind | undefined;
  readonly analysis: WireAnalysis;
  /** Where the analysis stands in the manifest. */
  readonly field: 'spec.analysis' | 'spec.canaryAnalysis';
}

/** Looks at a manifest; `canaryAnalysis` counts where `analysis` is absent. */
export function draftOf(spec: WireSpec, defaultProvider: string): Draft {
  const { provider = defaultProvider, targetRef, analysis, canaryAnalysis } = spec;
  const isOld = analysis === undefined && canaryAnalysis !== undefined;
  return {
    spec,
    provider,
    targetKind: targetKindOf(targetRef),
    analysis: analysis ?? canaryAnalysis ?? {},
    field: isOld ? 'spec.canaryAnalysis' : 'spec.analysis',
  };
}
