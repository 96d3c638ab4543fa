import type { Fact, Severity } from '../../domain/alerts.js';

/** A message to people, as every notifier gets it. */
export interface Message {
  readonly severity: Severity;
  readonly text: string;
  /** The Canary it is about, and the same as `NAME.NAMESPACE`. */
  readonly canary: { readonly name: string; readonly namespace: string };
  readonly title: string;
  readonly facts: readonly Fact[];
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Where a message goes: an AlertProvider with what its Secret holds, or the worker's own flags. */
export interface NotifierConfig {
  readonly address: URL;
  readonly channel: string;
  readonly username: string;
  readonly token?: string;
  /** What Microsoft Teams is sent, where the address does not tell. */
  readonly teamsFormat?: TeamsFormat;
}

/** The card of the retired connectors, or the one that workflows of Power Automate post. */
export const teamsFormats = ['connector', 'workflow'] as const;

export type TeamsFormat = (typeof teamsFormats)[number];

/** What is sent, by POST. */
export interface NotifierRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json: unknown;
}

/** One chat service, or the like. Pure: sending is the same for all. */
export interface Notifier {
  request(message: Message, config: NotifierConfig): NotifierRequest;
  /** What a successful answer says went wrong all the same, for people and histories. */
  refusal?(body: string): string | undefined;
}
