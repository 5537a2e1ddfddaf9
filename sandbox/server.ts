import { createServer } from "node:http";
import { Clock } from "./clock.ts";
import { createFaults, type Fault } from "./faults.ts";
import { Github, type GithubOptions } from "./github/github.ts";
import { createGithubHalf } from "./github/routes.ts";
import { createTokenPage } from "./github/token-page.ts";
import { type Arrival, createListener, createReceiver, type Departure, type Exchange } from "./http.ts";
import type { Organisation } from "./organisation.ts";
import type { Service } from "./service.ts";
import { createWebex } from "./webex/api.ts";
import { Meetings } from "./webex/meetings.ts";
import { Tokens } from "./webex/oauth.ts";
import type { Quirks } from "./webex/quirks.ts";
import { leave, type Person, type PersonChange, setModerator, World } from "./webex/world.ts";

/** How a sandbox behaves; see `Quirks` for the ways in which its Webex may be awkward. */
export interface SandboxOptions extends Quirks {
  /** Added to every request. Default: 0. */
  readonly latencyMs?: number;
  /** How fast its Webex is besides, and how much it allows. Default: at once, and everything. */
  readonly service?: Service;
  /** Keep the bodies of answers in `requests`; a benchmark of a million memberships does not. Default: true. */
  readonly keepResponses?: boolean;
  readonly github?: GithubOptions;
  /** How far the servers' clock is from the real one. Default: two minutes behind. */
  readonly clockOffsetMs?: number;
}

/** A Webex and a GitHub that run on a port of this machine. */
export interface Sandbox extends SandboxState, AsyncDisposable {}

/** A Webex and a GitHub, and what a test may ask of them and do to them behind the product's back. */
export interface SandboxState {
  readonly url: string;
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
  /** The variables of a new run on GitHub's runner, with the refresh token that is stored at this moment. */
  githubEnvironment(extra?: Readonly<Record<string, string>>): Record<string, string>;

  readonly requests: readonly Exchange[];
  /** Empties the record of requests and of declared faults, which a long story would fill. */
  forget(): void;
  /** Declares what goes wrong, or is changed, at which requests; `falseAnswers` in faults.ts has what to answer. */
  fault(...faults: readonly Fault[]): void;
  /** Is called after each request has been handled; the answer leaves only when its promise is kept. */
  onHandled(hook: (exchange: Exchange) => Promise<void>): void;

  personId(key: string): string;
  roomId(title: string): string;
  groupId(name: string): string;
  /** Their keys, sorted, as for moderators and teams. */
  members(title: string): string[];
  moderators(title: string): string[];
  teamMembers(name: string): string[];
  /** What was written into the room, oldest first. */
  messages(title: string): string[];
  addToRoom(title: string, key: string): void;
  removeFromRoom(title: string, key: string): void;
  setModerator(title: string, key: string, isModerator: boolean): void;
  renameRoom(title: string, to: string): void;
  swapTitles(title: string, other: string): void;
  deleteRoom(title: string): void;
  setGroup(name: string, keys: readonly string[]): void;
  addToGroup(name: string, key: string): void;
  removeFromGroup(name: string, key: string): void;
  renameGroup(name: string, to: string): void;
  changePerson(key: string, change: PersonChange): void;
  /** The servers' clock: it dates answers, groups, secrets, runs and commits. */
  readonly clock: Clock;

  /** The site's users and their delegates; an error when the organisation has no site. */
  readonly meetings: Meetings;

  readonly currentRefreshToken: string;
  /** Every secret that exists: client secret, tokens of Webex issued so far, tokens of GitHub. */
  secrets(): string[];
  expireAccessTokens(): void;

  readonly github: Github;
}

function sortedKeys(people: readonly Person[]): string[] {
  return people.map((person) => person.key).sort();
}

/** Starts a Webex with this organisation and a GitHub with one repository, on a free port of 127.0.0.1. */
export async function startSandbox(
  organisation: Organisation,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const server = createServer();
  // Longer than any pause of a client: a connection closed under a request would be a fault nobody declared.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sandbox got no port");
  const { sandbox, receive } = await createSandbox(
    `http://127.0.0.1:${address.port}`,
    organisation,
    options,
  ).catch((error: unknown) => {
    // Nobody can close it any more: it would keep the process alive for ever.
    server.close();
    throw error;
  });
  server.on("request", createListener(receive));
  return Object.assign(sandbox, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** A sandbox without a port: whoever has it hands requests to `receive`. */
export interface DetachedSandbox {
  readonly sandbox: SandboxState;
  receive(arrival: Arrival): Promise<Departure>;
}

/** Makes what `startSandbox` starts, under an address at which nobody listens. */
export async function createSandbox(
  url: string,
  organisation: Organisation,
  options: SandboxOptions = {},
): Promise<DetachedSandbox> {
  const clock = new Clock(options.clockOffsetMs);
  const world = new World(organisation, clock);
  const tokens = new Tokens(options, clock);
  const meetings = organisation.meetings && new Meetings(world, organisation.name, organisation.meetings);
  // Only where there is a site: the demo has none.
  const xml = meetings && (await import("./webex/xml.ts")).createXmlService(world, meetings, tokens, options);
  const faults = createFaults();
  const requests: Exchange[] = [];
  let beforeAnswer: (exchange: Exchange) => Promise<void> = () => Promise.resolve();
  const github = new Github(url, tokens.currentRefreshToken, clock, options.github);
  const receive = createReceiver({
    halves: [
      createWebex(world, meetings ?? null, tokens, options),
      createGithubHalf(github),
      createTokenPage(github),
      ...(xml ? [xml.half] : []),
    ],
    latencyMs: options.latencyMs ?? 0,
    service: options.service,
    keepResponses: options.keepResponses ?? true,
    takeFaults: faults.take,
    clock,
    record: (exchange) => requests.push(exchange),
    beforeAnswer: (exchange) => beforeAnswer(exchange),
  });

  const environment = (extra: Readonly<Record<string, string>> = {}) => ({
    WEBEX_API_URL: `${url}/v1`,
    WEBEX_CLIENT_ID: tokens.clientId,
    WEBEX_CLIENT_SECRET: tokens.clientSecret,
    WEBEX_REFRESH_TOKEN: tokens.currentRefreshToken,
    ...(meetings && { WEBEX_SITE_URL: meetings.site, WEBEX_XML_URL: `${url}/WBXService/XMLService` }),
    ...extra,
  });
  const sandbox: SandboxState = {
    forget() {
      requests.splice(0);
      faults.forget();
    },
    url,
    environment,
    githubEnvironment: (extra = {}) => environment({ ...github.startRun(extra.WEBEX_ENVIRONMENT), ...extra }),
    requests,
    fault: faults.declare,
    onHandled: (hook) => {
      beforeAnswer = hook;
    },
    personId: (key) => world.person(key).id,
    roomId: (title) => world.room(title).id,
    groupId: (name) => world.group(name).id,
    members: (title) => sortedKeys(world.room(title).members.people),
    moderators: (title) => sortedKeys(world.room(title).members.moderators),
    teamMembers: (name) => sortedKeys(world.team(name).members.people),
    messages: (title) =>
      world.messages.flatMap(({ room, markdown }) => (room === world.room(title) ? [markdown] : [])),
    addToRoom: (title, key) => {
      world.room(title).members.people.push(world.person(key));
    },
    removeFromRoom: (title, key) => leave(world.room(title).members, world.person(key)),
    setModerator: (title, key, isModerator) => {
      setModerator(world.room(title).members, world.person(key), isModerator);
    },
    renameRoom: (title, to) => {
      world.room(title).title = to;
    },
    swapTitles: (title, other) => {
      const [first, second] = [world.room(title), world.room(other)];
      [first.title, second.title] = [other, title];
    },
    deleteRoom: (title) => world.deleteRoom(world.room(title)),
    setGroup: (name, keys) => {
      world.changeGroup(world.group(name), { members: keys.map((key) => world.person(key)) });
    },
    addToGroup: (name, key) => {
      const group = world.group(name);
      world.changeGroup(group, { members: [...group.members, world.person(key)] });
    },
    removeFromGroup: (name, key) => {
      const group = world.group(name);
      world.changeGroup(group, { members: group.members.filter((person) => person.key !== key) });
    },
    changePerson: (key, change) => world.changePerson(world.person(key), change),
    renameGroup: (name, to) => world.changeGroup(world.group(name), { name: to }),
    clock,
    get meetings() {
      if (!meetings) throw new Error("the organisation has no Webex Meetings site");
      return meetings;
    },
    get currentRefreshToken() {
      return tokens.currentRefreshToken;
    },
    secrets: () => [...tokens.issued, ...(xml?.tickets ?? []), ...github.tokens],
    expireAccessTokens: () => tokens.expireAccessTokens(),
    github,
  };
  return { sandbox, receive };
}
