import type { Container, PodTemplate } from './objects.js';

/** Every container of a pod template, the initial ones first, as they start. */
export function containersOf({ spec = {} }: PodTemplate): readonly Container[] {
  return [...initContainersOf(spec), ...(spec.containers ?? [])];
}

/** The template with images set by container name; names it does not have are passed over. */
export function withImages(
  template: PodTemplate,
  images: Readonly<Record<string, string>>,
): PodTemplate {
  const { spec = {} } = template;
  const set = (container: Container): Container => {
    const image = images[container.name];
    return image === undefined ? container : { ...container, image };
  };
  const initContainers = initContainersOf(spec).map(set);
  return {
    ...template,
    spec: {
      ...spec,
      ...(initContainers.length === 0 ? {} : { initContainers }),
      containers: (spec.containers ?? []).map(set),
    },
  };
}

function initContainersOf(spec: NonNullable<PodTemplate['spec']>): readonly Container[] {
  return (spec['initContainers'] as readonly Container[] | undefined) ?? [];
}
