/**
 * How the traffic of one kind of proxy is measured: two metric templates, nothing else. Both look
 * at the canary only, over the metric's interval.
 */
export interface Observer {
  /** Percent of the requests that did not fail; 0, rather than nothing, when all of them failed. */
  readonly successRate: string;
  /** The time 99 % of the requests stay under (or the mean, where that is all there is), in ms. */
  readonly duration: string;
}
