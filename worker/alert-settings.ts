import type { AlertSettings, NotifierSettings } from '../activities/deps.js';
import type { Config } from './config.js';

/** The settings of alerts, of which many belong to one of two chat services. */
export function alertSettingsOf(config: Config): AlertSettings {
  const { cluster, clusterName, pageUrl, temporalUiUrl } = config;
  const own = ownNotifier(config);
  return {
    ...(own === undefined ? {} : { own }),
    clusterName: clusterName === '' && cluster !== unnamed ? cluster : clusterName,
    pageUrl,
    temporalUiUrl,
  };
}

/** What `--cluster` is where nobody gave the cluster a name. */
const unnamed = 'default';

/** As in Flagger, Microsoft Teams where both are set. */
function ownNotifier(config: Config): NotifierSettings | undefined {
  if (config.msteamsUrl !== '') {
    return {
      type: 'msteams',
      address: config.msteamsUrl,
      proxy: config.msteamsProxyUrl,
      format: config.msteamsFormat === 'auto' ? '' : config.msteamsFormat,
    };
  }
  if (config.slackUrl === '') return undefined;
  return {
    type: 'slack',
    address: config.slackUrl,
    channel: config.slackChannel,
    username: config.slackUser,
    token: config.slackToken,
    proxy: config.slackProxyUrl,
  };
}
