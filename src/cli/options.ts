import type { OrganisationRule } from "../config/organisation.ts";

/** An option of a command. */
export interface Option {
  readonly name: string;
  /** What the option takes, as the usage shows it, in brackets when it may be left out; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  /** What a value must look like, where not everything will do, and what to give then. */
  readonly form?: RegExp;
  readonly hint?: string;
  /** The command can do nothing without it. */
  readonly isRequired?: true;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** May be given several times, and empty: the values are joined by new lines. */
  readonly repeats?: true;
}

/** A command, as its usage shows it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
}

const organisation = {
  name: "organisation",
  value: "<name>",
  help: "of several organisations the one to work for (or ROLLCALL_ORGANISATION)",
} as const;
/** For what comes before an organisation has a folder. */
const anyOrganisation = { ...organisation, help: `${organisation.help}; it may be a new one` } as const;
/** For what works for all of them where none is named. */
const optionalOrganisation = { ...organisation, help: `${organisation.help}; default: all` } as const;
const inputs = [
  {
    name: "mappings",
    value: "<file>",
    help: "which groups belong in which spaces (default mappings/rooms.csv)",
  },
  { name: "policy", value: "<file>", help: "limits and protection (default mappings/policy.json)" },
  organisation,
] as const;
const verbose = {
  name: "verbose",
  value: null,
  help: "say more: request counts, each change as it is made, everybody at the end, how long the login lasts",
} as const;
const always = [
  {
    name: "max-minutes",
    value: "<n>",
    help: "stop in order after this many minutes, and report what was done (default 25)",
    form: /^(?=.*[1-9])\d{1,4}(\.\d{1,3})?$/,
    hint: "give minutes, such as 25",
  },
  verbose,
] as const;
const online = [
  ...inputs,
  { name: "reports", value: "<dir>", help: "where reports are kept (default reports)" },
  { name: "json", value: "<file>", help: "write the run's record to this file" },
  ...always,
] as const;
const approve = {
  name: "approve",
  value: "<digest>",
  help: "apply the held removals that have this digest",
  form: /^[0-9a-f]{12}$/i,
  hint: "the report shows the digest to give",
} as const;

const port = {
  name: "port",
  value: "<port>",
  help: "where the browser comes back to on 127.0.0.1 (default 5000)",
  form: /^(?:0|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
} as const;

const pullRequestForm = {
  form: /^[1-9]\d{0,8}$/,
  hint: "give the number after the # in its title, such as 12",
} as const;

/** Every command there is. */
export const commands = [
  { name: "validate", summary: "check the mappings and the policy, without any network", options: inputs },
  {
    name: "plan",
    summary: "read Webex and show what sync would do; changes no membership",
    options: [
      ...online,
      {
        name: "pull-request",
        value: "<number>",
        help: "plan what this pull request proposes, and write it as one comment there",
        ...pullRequestForm,
      },
      { name: "markdown", value: "<file>", help: "write the plan as Markdown to this file" },
    ],
  },
  {
    name: "sync",
    summary: "keep the members of spaces in step with the mappings, within limits, and report",
    options: [...online, { name: "dry-run", value: null, help: "only show the plan" }, approve],
  },
  {
    name: "delegate",
    summary: "show or change who may schedule meetings for whom",
    options: [
      {
        name: "mode",
        value: "<mode>",
        help: "show (default), add, remove or replace",
        choices: ["show", "add", "remove", "replace"],
      },
      { name: "host", value: "<email>", help: "for whom; may repeat or hold a list", repeats: true },
      {
        name: "delegate",
        value: "<email>",
        help: "who may schedule; may repeat or hold a list; none with replace takes all away",
        repeats: true,
      },
      {
        name: "until",
        value: "<date>",
        help: "with add: the last day, YYYY-MM-DD; sync revokes it after that",
      },
      {
        name: "backend",
        value: "<api>",
        help: "the interface of Webex: rest (default) or xml",
        choices: ["rest", "xml"],
      },
      { name: "dry-run", value: null, help: "only show what would be changed" },
      ...online,
    ],
  },
  {
    name: "why",
    summary: "say where a person is, because of which row, since when, and what holds them there; reads only",
    options: [
      {
        name: "person",
        value: "<email or id>",
        help: "whom it is about: any of their addresses, or their id",
        isRequired: true,
      },
      { name: "space", value: "<space>", help: "only this space: its title, its id or a link to it" },
      { name: "leaving", value: null, help: "list everything that holds this person somewhere, to tick off" },
      ...inputs,
      { name: "reports", value: "<dir>", help: "where reports are kept (default reports)" },
      { name: "json", value: "<file>", help: "write the answer to this file as JSON" },
      ...always,
    ],
  },
  {
    name: "restore",
    summary: "undo the membership changes of one earlier run, from its record",
    options: [
      {
        name: "record",
        value: "<file>",
        help: "the run's record, such as reports/runs/2026-11-22-4711.json",
        isRequired: true,
      },
      ...online,
      { name: "dry-run", value: null, help: "only show the plan" },
      approve,
    ],
  },
  {
    name: "discover",
    summary: "list the groups and spaces the token sees, and suggest mappings",
    options: [
      {
        name: "csv",
        value: "<file>",
        help: "write the suggestions to this file as well, unless it has rows",
      },
      anyOrganisation,
      { name: "append", value: null, help: "add the suggestions that the file of --csv lacks at its end" },
      { name: "json", value: "<file>", help: "write groups, spaces and suggestions to this file as JSON" },
      {
        name: "mappings",
        value: "<file>",
        help: "suggest no pair that this file has (default mappings/rooms.csv)",
      },
      ...always,
    ],
  },
  {
    name: "setup",
    summary: "lead through the first set-up, and do what can be done by GitHub's API",
    options: [
      { name: "dry-run", value: null, help: "only show the steps, and which of them are done" },
      anyOrganisation,
      port,
      ...always,
    ],
  },
  {
    name: "login",
    summary: "get the first refresh token in a browser and store it",
    options: [
      anyOrganisation,
      port,
      { name: "device", value: null, help: "show a code to enter in a browser on any other machine" },
      {
        name: "features",
        value: "<list>",
        help: "of memberships, delegates, messages, xml (default memberships; with WEBEX_SITE_URL also delegates, with report.notify in policy.json also messages)",
      },
      verbose,
    ],
  },
  {
    name: "doctor",
    summary: "check the whole set-up and say what to fix",
    options: [
      ...inputs,
      { name: "json", value: "[<file>]", help: "print JSON, or write it to this file" },
      {
        name: "reports",
        value: "<dir>",
        help: "where earlier runs have kept where names led, and what is settled about Webex (default reports)",
      },
      ...always,
    ],
  },
  {
    name: "demo",
    summary: "run sync twice against the built-in sandbox; needs no account",
    options: [
      { name: "reports", value: "<dir>", help: "where to leave the reports (default rollcall-demo)" },
      { name: "open", value: null, help: "open the rendered report in a browser" },
    ],
  },
] as const satisfies readonly Command[];

/** What only a workflow calls: neither the help nor a suggestion names it. */
export const workflowCommands = [
  {
    name: "approval",
    summary: "decide about the comment that started the workflow Approve, or answer it",
    options: [
      {
        name: "outcome",
        value: "<json>",
        help: "answer the comment: the workflow's jobs with their outputs, as GitHub's toJSON(needs) writes them",
      },
      ...always,
    ],
  },
  {
    name: "organisations",
    summary: "name the organisations that a workflow has something to do for",
    options: [
      optionalOrganisation,
      {
        name: "pull-request",
        value: "<number>",
        help: "those whose files this pull request changes",
        ...pullRequestForm,
      },
      { name: "record", value: "<file>", help: "the one whose record this is, by its path" },
    ],
  },
] as const satisfies readonly Command[];

type AnyCommand = (typeof commands)[number] | (typeof workflowCommands)[number];

/** The commands' names. */
export type CommandName = AnyCommand["name"];

type OptionOf<Name extends CommandName> = Extract<AnyCommand, { name: Name }>["options"][number];

type ValueOf<O extends Option> = O extends { value: null }
  ? true
  : O extends { value: `[${string}` }
    ? string | true
    : O extends { choices: readonly (infer Choice)[] }
      ? Choice
      : string;

/** What the command line may say to one command, as its row of the table has it. */
export type OptionsOf<Name extends CommandName> = {
  readonly [O in OptionOf<Name> as O extends { isRequired: true } ? O["name"] : never]: ValueOf<O>;
} & {
  readonly [O in OptionOf<Name> as O extends { isRequired: true } ? never : O["name"]]?: ValueOf<O>;
};

/** What a command does with the name of an organisation; a plan may be of a pull request that makes its folder. */
export function findOrganisationRule(
  command: CommandName,
  options: { readonly "pull-request"?: string },
): OrganisationRule {
  const all: readonly Command[] = [...commands, ...workflowCommands];
  const known = all.find(({ name }) => name === command)?.options ?? [];
  if (known.includes(optionalOrganisation)) return "optional";
  if (known.includes(anyOrganisation) || options["pull-request"] !== undefined) return "any";
  return known.includes(organisation) ? "existing" : "none";
}
