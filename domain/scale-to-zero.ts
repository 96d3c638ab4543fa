import { withoutKeys } from './entries.js';
import type { PodTemplate } from './objects.js';

/** No node has this label, so that a DaemonSet whose pods ask for it has none. Flagger's own. */
const selector = { 'flagger.app/scale-to-zero': 'true' } as const;

/** Whether the pods ask for a node there is not. */
export function isScaledToZero(template: PodTemplate): boolean {
  return Object.keys(selector).some((key) => key in nodeSelectorOf(template));
}

/** The template with a node selector that no node answers to. */
export function scaledToZero(template: PodTemplate): PodTemplate {
  const nodeSelector = { ...nodeSelectorOf(template), ...selector };
  return { ...template, spec: { ...template.spec, nodeSelector } };
}

/** The template without that selector, which is the mark of a target at rest and no content. */
export function scaledUp(template: PodTemplate): PodTemplate {
  if (!isScaledToZero(template)) return template;
  const { nodeSelector: _, ...spec } = template.spec ?? {};
  const rest = withoutKeys(nodeSelectorOf(template), (key) => key in selector);
  return {
    ...template,
    spec: { ...spec, ...(Object.keys(rest).length === 0 ? {} : { nodeSelector: rest }) },
  };
}

function nodeSelectorOf({ spec }: PodTemplate): Readonly<Record<string, string>> {
  return (spec?.['nodeSelector'] as Readonly<Record<string, string>> | undefined) ?? {};
}
