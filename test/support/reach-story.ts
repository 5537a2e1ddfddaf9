import type { Organisation } from "../../sandbox/organisation.ts";
import { describeWrite } from "./delegation-story.ts";
import { emailOf, organisation } from "./organisation.ts";
import { type JobEnding, type Member, roomsFile, startOrganisations } from "./organisations.ts";
import { createNames, isMembershipWrite } from "./story.ts";

/** The days of the story: up to and with the last one a contractor, Ines, is in the incident's space. */
export const days = {
  proposed: "2026-12-07",
  warned: "2026-12-11",
  last: "2026-12-18",
  ended: "2026-12-19",
  extended: "2027-01-29",
} as const;

const names = ["acme", "globex", "hooli"] as const;

type Name = (typeof names)[number];

/** A job of each organisation. */
type Stations = Readonly<Record<Name, Station>>;

const site = (people: readonly string[]): Pick<Organisation, "meetings"> => ({
  meetings: { site: "acme.webex.com", users: people.map((person) => ({ person })) },
});

const acmeRows = ["On-call,NOC,,,", "On-call,Incident 4711,,,"];
const acmeGrants = `host,delegate,until\n${emailOf("ada")},${emailOf("ben")},\n`;
const globexRows = ["Engineering,Engineering"];

const members: Readonly<Record<Name, Member>> = {
  acme: {
    webex: {
      ...organisation({
        groups: { "On-call": ["ada", "ben", "cleo"] },
        rooms: { NOC: ["ada", "ben", "cleo"], "Incident 4711": ["ada", "ben", "cleo"] },
        people: {
          ada: { displayName: "Ada Brandt" },
          ben: { displayName: "Ben Okafor" },
          cleo: { displayName: "Cleo Marchetti" },
          ines: { displayName: "Ines Weber" },
        },
      }),
      ...site(["rollcall", "ada", "ben", "cleo", "ines"]),
    },
    rows: acmeRows,
    // Here a person looks at every removal.
    policy: `${JSON.stringify({ limits: { removalsPerRoom: { count: 0, share: 0 } } }, null, 2)}\n`,
    delegations: acmeGrants,
  },
  globex: {
    webex: organisation({
      groups: { Engineering: ["fay", "gil"] },
      rooms: { Engineering: ["fay", "gil"], Releases: ["fay"] },
      people: { fay: { displayName: "Fay Lindqvist" }, gil: { displayName: "Gil Moreau" } },
    }),
    rows: globexRows,
  },
  hooli: {
    webex: organisation({
      groups: { Sales: ["kim", "lee"] },
      rooms: { Sales: ["kim", "mia", "ned", "ole", "pia"] },
    }),
    rows: ["Sales,Sales"],
  },
};

const contractor = (until: string) => `${emailOf("ines")},Incident 4711,,${until},contractor`;

/** What one pull request changes: a person with a date and a grant in one organisation, and a row of another. */
const proposal = {
  "mappings/acme/rooms.csv": roomsFile([...acmeRows, contractor(days.last)]),
  "mappings/acme/delegations.csv": `${acmeGrants}${emailOf("ben")},${emailOf("ines")},${days.last}\n`,
  "mappings/globex/rooms.csv": roomsFile([...globexRows, "Engineering,Releases"]),
};

/** What one job left behind. */
export interface Station extends JobEnding {
  /** What it wrote to Webex, as `add ines to Incident 4711: 200` and `insert ben: ines`. */
  readonly writes: readonly string[];
  /** Who is in the space that the story is about. */
  readonly incident: readonly string[];
  /** Whom the host of the grant lets schedule. */
  readonly delegates: readonly string[];
  /** The organisation's page, and the one over all of them. */
  readonly page: string;
  readonly overview: string;
}

/** One pull request from its plan to its undoing, over three organisations. */
export interface ReachStory {
  /** The run before anything is proposed. */
  readonly before: Stations;
  /** The organisations for which the pull request has something to plan, and the comments on it. */
  readonly concerned: readonly string[];
  readonly plans: readonly Station[];
  readonly comments: readonly string[];
  readonly merged: Stations;
  readonly why: Station;
  /** The run that says that the last day is near. */
  readonly warned: Station;
  /** The run on the day after the last one. */
  readonly ended: Stations;
  readonly whyHeld: Station;
  readonly leaving: Station;
  readonly approved: Station;
  readonly whyGone: Station;
  readonly restored: Station;
  /** The comment on the pull request that gives the row a later day, and the run after its merge. */
  readonly extension: string;
  readonly extended: Station;
  /** All of them, in their order. */
  readonly jobs: readonly Station[];
  /** The file of the grants at the end. */
  readonly grants: string;
}

/** Plays the story with the real commands, each as the workflow's job for one organisation. */
export async function playReach(): Promise<ReachStory> {
  const began = Date.now();
  const aheadMs = (day: string) => Date.parse(`${day}T09:00:00Z`) - began;
  // The servers are two minutes behind, as they are by default.
  await using three = await startOrganisations(members, { clockOffsetMs: aheadMs(days.proposed) - 120_000 });
  const { github, folder } = three;
  const jobs: Station[] = [];
  let today: string = days.proposed;

  function comeTo(day: string): void {
    for (const name of names) three.webex(name).clock.shift(aheadMs(day) - aheadMs(today));
    today = day;
  }

  async function run(name: Name, ...args: readonly string[]): Promise<Station> {
    // The workflow checks the branch out first.
    for (const [path, text] of github.files()) await folder.write(path, text);
    const ending = await three.run(name, args, {
      GITHUB_SERVER_URL: "https://github.com",
      NODE_OPTIONS: `--import=${import.meta.resolve("./clock-ahead.mjs")}`,
      CLOCK_AHEAD_MS: String(aheadMs(today)),
    });
    const { write } = createNames(three.webex(name), members[name].webex);
    const acme = three.webex("acme");
    const station = {
      ...ending,
      writes: ending.requests.flatMap((exchange) =>
        isMembershipWrite(exchange) ? [write(exchange)] : describeWrite(exchange),
      ),
      incident: acme.members("Incident 4711"),
      delegates: [...acme.meetings.user("ben").delegates].sort(),
      page: three.text(`reports/${name}/README.md`),
      overview: three.text("reports/README.md"),
    };
    jobs.push(station);
    return station;
  }

  function merge(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) github.writeFile(path, text);
  }

  async function syncAll(): Promise<Stations> {
    return {
      acme: await run("acme", "sync"),
      globex: await run("globex", "sync"),
      hooli: await run("hooli", "sync"),
    };
  }

  /** What the first job of the workflow finds. */
  async function findConcerned(number: number): Promise<readonly string[]> {
    const environment = three.webex("acme").githubEnvironment();
    const { stdout } = await folder.run(["organisations", "--pull-request", String(number)], environment);
    return stdout.trimEnd().split("\n");
  }

  const who = ["--person", emailOf("ines")];
  const before = await syncAll();

  const number = github.pulls.open({ files: proposal, title: "Ines helps with incident 4711" });
  const concerned = await findConcerned(number);
  const plans: Station[] = [];
  for (const name of names.filter((name) => concerned.includes(name)))
    plans.push(await run(name, "plan", "--pull-request", String(number)));
  const comments = github.issues.find(number).comments.map(({ body }) => body);

  merge(proposal);
  const merged = await syncAll();
  const why = await run("acme", "why", ...who);

  comeTo(days.warned);
  const warned = await run("acme", "sync");

  comeTo(days.ended);
  const ended = await syncAll();
  const whyHeld = await run("acme", "why", ...who);
  const leaving = await run("acme", "why", ...who, "--leaving");
  const approved = await run("acme", "sync", "--approve", ended.acme.record?.digest ?? "");
  const whyGone = await run("acme", "why", ...who);

  const records = [...github.files().keys()].filter((path) => /^reports\/acme\/runs\/.*\.json$/.test(path));
  const restored = await run("acme", "restore", "--record", records.sort().at(-1) ?? "");
  const extendedRows = { "mappings/acme/rooms.csv": roomsFile([...acmeRows, contractor(days.extended)]) };
  const extending = github.pulls.open({ files: extendedRows, title: "Ines stays until January" });
  await run("acme", "plan", "--pull-request", String(extending));
  const [extension] = github.issues.find(extending).comments;
  merge(extendedRows);
  const extended = await run("acme", "sync");

  return {
    ...{
      before,
      concerned,
      plans,
      comments,
      merged,
      why,
      warned,
      ended,
      whyHeld,
      leaving,
      approved,
      whyGone,
    },
    ...{
      restored,
      extension: extension?.body ?? "",
      extended,
      jobs,
      grants: three.text("mappings/acme/delegations.csv"),
    },
  };
}
