const everyMs = 10_000;

/** Says from time to time which tools are being made. */
export type Progress = {
  readonly during: (what: string, act: () => Promise<void>) => Promise<void>;
  readonly stop: () => void;
};

/** Reports the tools under way every ten seconds, and each when it is done, until stopped. */
export function reportProgress(total: number, report: (line: string) => void): Progress {
  const underWay = new Map<string, number>();
  let begun = 0;
  let done = 0;
  const place = new Map<string, number>();
  const timer = setInterval(() => {
    for (const [what, since] of underWay) {
      report(`  ${what} (${place.get(what) ?? 0} of ${total}): ${elapsed(since)}`);
    }
  }, everyMs);
  return {
    during: async (what, act) => {
      const since = Date.now();
      begun += 1;
      place.set(what, begun);
      underWay.set(what, since);
      try {
        await act();
      } finally {
        underWay.delete(what);
      }
      done += 1;
      report(`  ${what} done in ${elapsed(since)}, ${done} of ${total}`);
    },
    stop: () => clearInterval(timer),
  };
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
