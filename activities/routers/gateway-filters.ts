import type { Canary, HeaderChange, ServiceSpec } from '../../domain/canary.js';
import { parseDuration } from '../../domain/duration.js';
import { namesOf } from '../../domain/names.js';
import { Unroutable } from './router.js';

/** The filters the manifest asks for on every rule, in a fixed order. Throws {@link Unroutable}. */
export function filtersOf(canary: Canary): readonly object[] {
  const { headers, rewrite, mirror, corsPolicy } = canary.service;
  const { canaryService } = namesOf(canary);
  if (mirror.some(({ backendRef }) => backendRef['name'] === canaryService)) {
    throw new Unroutable(
      `spec.service.mirror: ${canaryService} gets copies of requests by spec.analysis.mirror only`,
    );
  }
  return [
    ...modifier('RequestHeaderModifier', 'requestHeaderModifier', headers?.request),
    ...modifier('ResponseHeaderModifier', 'responseHeaderModifier', headers?.response),
    ...(rewrite === undefined ? [] : [urlRewrite(rewrite)]),
    ...mirror.map(({ backendRef }) => mirrorTo(backendRef)),
    ...(corsPolicy === undefined ? [] : [{ type: 'CORS', cors: corsOf(corsPolicy) }]),
  ];
}

/** The filter that sends copies of requests to the canary. */
export function mirrorFilter(canary: Canary): object {
  return mirrorTo({ name: namesOf(canary).canaryService, port: canary.service.port });
}

function mirrorTo(backendRef: Readonly<Record<string, unknown>>): object {
  return {
    type: 'RequestMirror',
    requestMirror: { backendRef: { group: '', kind: 'Service', ...backendRef } },
  };
}

function modifier(type: string, field: string, change: HeaderChange | undefined): object[] {
  if (change === undefined) return [];
  const { add, set, remove = [] } = change;
  const filled = {
    ...(isEmpty(add) ? {} : { add: listed(add) }),
    ...(isEmpty(set) ? {} : { set: listed(set) }),
    ...(remove.length === 0 ? {} : { remove }),
  };
  return Object.keys(filled).length === 0 ? [] : [{ type, [field]: filled }];
}

/** Sorted, because the order of a map is not the manifest's to tell. */
function listed(values: Readonly<Record<string, string>> = {}): object[] {
  return Object.entries(values)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function urlRewrite({ uri, authority, type }: NonNullable<ServiceSpec['rewrite']>): object {
  const path =
    type === 'ReplacePrefixMatch'
      ? { type, replacePrefixMatch: uri }
      : { type: 'ReplaceFullPath', replaceFullPath: uri };
  return {
    type: 'URLRewrite',
    urlRewrite: {
      ...(isBlank(authority) ? {} : { hostname: authority }),
      ...(isBlank(uri) ? {} : { path }),
    },
  };
}

interface CorsPolicy {
  readonly allowOrigin?: readonly string[];
  readonly allowOrigins?: readonly { readonly exact?: string }[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly maxAge?: string;
}

/** Browsers keep a preflight answer this long unless told otherwise; the API's own default. */
const defaultMaxAgeSeconds = 5;

function corsOf(policy: CorsPolicy): object {
  const { allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge = '' } = policy;
  const maxAgeMs = parseDuration(maxAge);
  const origins = [...(policy.allowOrigin ?? []), ...(policy.allowOrigins ?? []).map(exactOrigin)];
  return {
    ...(origins.length === 0 ? {} : { allowOrigins: origins }),
    ...(allowMethods === undefined ? {} : { allowMethods }),
    ...(allowHeaders === undefined ? {} : { allowHeaders }),
    ...(exposeHeaders === undefined ? {} : { exposeHeaders }),
    ...(allowCredentials === true ? { allowCredentials } : {}),
    maxAge: maxAgeMs === undefined ? defaultMaxAgeSeconds : Math.trunc(maxAgeMs / 1_000),
  };
}

function exactOrigin({ exact }: { readonly exact?: string }): string {
  if (exact !== undefined) return exact;
  throw new Unroutable(
    'spec.service.corsPolicy.allowOrigins: patterns are not supported by gatewayapi (supported: exact)',
  );
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text === '';
}

function isEmpty(values: Readonly<Record<string, string>> | undefined): boolean {
  return values === undefined || Object.keys(values).length === 0;
}
