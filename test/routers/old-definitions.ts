import type { KubeObject } from '../../domain/objects.js';
import type { Definition } from './crds.js';

/** A definition of the API that API servers no longer take. */
export interface OldDefinition extends KubeObject {
  readonly spec: Pick<Definition['spec'], 'group' | 'names' | 'versions'> & {
    readonly scope: string;
    readonly validation?: { readonly openAPIV3Schema?: Schema };
  };
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly object[];
}

/**
 * The same definition in the form API servers take now. As before it checks the fields it names,
 * and keeps all others: https://kubernetes.io/docs/reference/using-api/deprecation-guide/#customresourcedefinition-v122
 */
export function modernised({ metadata: { name }, spec }: OldDefinition): Definition {
  const { group, names, scope, validation } = spec;
  const schema = { openAPIV3Schema: structural(validation?.openAPIV3Schema ?? {}) };
  const versions = spec.versions.map((version) => ({
    ...version,
    schema,
    subresources: { status: {} },
  }));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: { group, names, scope, versions },
  };
}

/** Alternatives of whole types, which are no longer allowed, become objects of any fields. */
function structural({ oneOf: _, properties, items, ...schema }: Schema): object {
  if (items !== undefined) return { ...schema, type: 'array', items: structural(items) };
  const { type = 'object' } = schema;
  if (type !== 'object') return schema;
  const fields = Object.entries(properties ?? {}).map(([field, of]) => [field, structural(of)]);
  return {
    ...schema,
    type,
    'x-kubernetes-preserve-unknown-fields': true,
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields) as object }),
  };
}
