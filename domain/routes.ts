/** How traffic is split; the two weights always add up to 100. */
export interface Routes {
  readonly primary: number;
  readonly canary: number;
  /** Whether the canary gets copies of the primary's requests, whose answers nobody sees. */
  readonly mirror?: true;
}

/** Cookies that keep clients on a version, each as `name=value`. */
export interface Cookies {
  /** Set by answers of the canary; whoever sends it stays there. */
  readonly canary?: string;
  /** Set by answers of the primary; whoever sends it stays there until the next step. */
  readonly primary?: string;
  /** Of an earlier release: whoever sends it is told to forget it. */
  readonly expired?: string;
}

export const allToPrimary: Routes = { primary: 100, canary: 0 };
export const allToCanary: Routes = { primary: 0, canary: 100 };
export const mirrored: Routes = { primary: 100, canary: 0, mirror: true };

/** The split that sends `weight` percent to the canary. */
export function toCanary(weight: number): Routes {
  return { primary: 100 - weight, canary: weight };
}
