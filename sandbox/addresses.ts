/** The cluster's addresses. They exist in the sandbox's own network namespace only. */
export const NODE_NAME = 'sandbox';
export const NODE_IP = '10.244.0.1';
export const POD_CIDR = '10.244.0.0/16';
export const SERVICE_CIDR = '10.96.0.0/16';
export const KUBERNETES_SERVICE_IP = '10.96.0.1';
export const DNS_IP = '10.96.0.10';
export const CLUSTER_DOMAIN = 'cluster.local';
export const TEMPORAL_ADDRESS = 'temporal.temporal:7233';
