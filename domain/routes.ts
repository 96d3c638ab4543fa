/** How traffic is split; the two weights always add up to 100. */
export interface Routes {
  readonly primary: number;
  readonly canary: number;
}

export const allToPrimary: Routes = { primary: 100, canary: 0 };
export const allToCanary: Routes = { primary: 0, canary: 100 };

/** The split that sends `weight` percent to the canary. */
export function toCanary(weight: number): Routes {
  return { primary: 100 - weight, canary: weight };
}
