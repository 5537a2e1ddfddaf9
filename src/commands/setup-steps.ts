import type { BranchRules, EnvironmentFacts } from "../github/repository.ts";
import { compareStrings } from "../lib/text.ts";

/** What stands on GitHub at this moment. */
export interface Standing {
  readonly name: string;
  readonly isPrivate: boolean;
  readonly isFork: boolean;
  readonly defaultBranch: string;
  /** Where variables and secrets go: the environment's name, or null for the repository itself. */
  readonly place: string | null;
  readonly environment: EnvironmentFacts | null;
  /** Of the place, and where it lacks one, of the repository. */
  readonly variables: ReadonlyMap<string, string>;
  /** Of the place. */
  readonly secrets: ReadonlySet<string>;
  readonly rules: BranchRules | null;
  readonly owners: "absent" | "placeholders" | "written";
  readonly hasRows: boolean;
  /** Whether the branch that REPORT_BRANCH names is there; null without such a variable. */
  readonly hasReportBranch: boolean | null;
  /** The pull request of an earlier set-up that is still open. */
  readonly pull: { readonly number: number; readonly url: string } | null;
}

export type StepId =
  | "repository"
  | "environment"
  | "integration"
  | "secrets-token"
  | "report-branch"
  | "login"
  | "proposal"
  | "doctor";

/** One step of the set-up: `done` stands and is left alone, `todo` is made, `person` only a person can decide. */
export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly state: "done" | "todo" | "person";
  readonly detail: string;
}

/** What the set-up makes, by name: of several organisations each has its own. */
export interface Names {
  readonly environment: string;
  readonly mappingsFile: string;
  /** The branch on which the set-up proposes its files. */
  readonly branch: string;
}

/** Names what is made for an organisation; for null, where there is one only. */
export function nameParts(organisation: string | null): Names {
  const suffix = organisation === null ? "" : `-${organisation}`;
  return {
    environment: `webex${suffix}`,
    mappingsFile: `mappings/${organisation === null ? "" : `${organisation}/`}rooms.csv`,
    branch: `rollcall/set-up${suffix}`,
  };
}

/** The steps in their order, with what stands and what is to be done. Pure. */
export function planSetup(standing: Standing): readonly Step[] {
  return [
    viewRepository(standing),
    viewEnvironment(standing),
    viewIntegration(standing),
    viewSecretsToken(standing),
    viewReportBranch(standing),
    viewLogin(standing),
    viewProposal(standing),
    {
      id: "doctor",
      title: "Doctor",
      state: "todo",
      detail: "checks the whole set-up and says what is still wrong",
    },
  ];
}

/** True for an owner as CODEOWNERS takes it: a person, a team or an address. */
export function isOwner(text: string): boolean {
  return /^@[a-z\d][\w.-]*(\/[a-z\d][\w.-]*)?$/i.test(text) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text);
}

/** Writes owners into the template's CODEOWNERS, whatever else stands there. */
export function fillOwners(text: string, maintainers: string, workspaceOwners: string): string {
  return text
    .replaceAll("@your-organisation/rollcall-maintainers", maintainers)
    .replaceAll("@your-organisation/workspace-owners", workspaceOwners)
    .replaceAll(/@your-organisation\/[\w.-]+/g, maintainers);
}

function viewRepository({ name, isPrivate, isFork }: Standing): Step {
  const faults = [
    ...(isPrivate ? [] : ["it is public, and the reports name people: Settings, General, Change visibility"]),
    ...(isFork ? ["it is a fork, where GitHub runs no schedule: make a copy by Use this template"] : []),
  ];
  const detail = faults.length === 0 ? `${name} is private` : `${name}: ${faults.join("; ")}`;
  return { id: "repository", title: "Repository", state: faults.length === 0 ? "done" : "person", detail };
}

function viewEnvironment({ place, environment, defaultBranch }: Standing): Step {
  const step = { id: "environment", title: "Environment" } as const;
  if (place === null) {
    const detail = "none: WEBEX_SECRET_PLACE is repository, so everybody who may push can reach the secrets";
    return { ...step, state: "done", detail };
  }
  const rule = `${place}, for ${defaultBranch} only`;
  if (environment === null) return { ...step, state: "todo", detail: `make ${rule}` };
  const { branches } = environment;
  if (branches === null || branches.length === 0)
    return {
      ...step,
      state: "todo",
      detail: `limit ${rule}; so far ${branches === null ? "every branch" : "none"} is let in`,
    };
  const others = branches.filter((branch) => branch !== defaultBranch);
  if (others.length === 0) return { ...step, state: "done", detail: rule };
  return {
    ...step,
    state: "person",
    detail: `${place} also lets in ${others.sort(compareStrings).join(", ")}, who can reach the token from there: Settings, Environments, ${place}`,
  };
}

function viewIntegration({ variables, secrets, place }: Standing): Step {
  const missing = [
    ...(variables.has("WEBEX_CLIENT_ID") ? [] : ["the variable WEBEX_CLIENT_ID"]),
    ...(secrets.has("WEBEX_CLIENT_SECRET") ? [] : ["the secret WEBEX_CLIENT_SECRET"]),
  ];
  const step = { id: "integration", title: "Webex integration" } as const;
  return missing.length === 0
    ? { ...step, state: "done", detail: `its id and its secret are in ${describePlace(place)}` }
    : { ...step, state: "todo", detail: `register it, and set ${missing.join(" and ")}` };
}

function viewSecretsToken({ secrets, place }: Standing): Step {
  const step = { id: "secrets-token", title: "SECRETS_TOKEN" } as const;
  return secrets.has("SECRETS_TOKEN")
    ? { ...step, state: "done", detail: `is a secret of ${describePlace(place)}` }
    : {
        ...step,
        state: "todo",
        detail: "make a fine-grained token that may store the login, and set the secret",
      };
}

function viewReportBranch({ rules, defaultBranch, variables, hasReportBranch }: Standing): Step {
  const step = { id: "report-branch", title: "Report branch" } as const;
  const named = variables.get("REPORT_BRANCH");
  if (named !== undefined) {
    return hasReportBranch
      ? { ...step, state: "done", detail: `${named} gets the reports` }
      : { ...step, state: "todo", detail: `make ${named}, which REPORT_BRANCH names` };
  }
  // The person who sets up may pass a rule that the workflow's own token never can.
  const ruled = [...(rules?.refusals ?? []), ...(rules?.bypassed ?? [])];
  const reasons = [...ruled, ...(rules?.isProtected ? ["it is protected"] : [])];
  if (variables.has("ROLLCALL_APP_CLIENT_ID") && reasons.length > 0) {
    const detail = `${defaultBranch} gets the reports, if the GitHub App may bypass this: ${reasons.join("; ")}`;
    return { ...step, state: "person", detail };
  }
  if (reasons.length === 0) return { ...step, state: "done", detail: `${defaultBranch} gets the reports` };
  return {
    ...step,
    state: "todo",
    detail: `${defaultBranch} refuses the workflow's commit (${reasons.join("; ")}): make a branch for the reports, and set REPORT_BRANCH`,
  };
}

function viewLogin({ secrets, place }: Standing): Step {
  const step = { id: "login", title: "Login" } as const;
  return secrets.has("WEBEX_REFRESH_TOKEN")
    ? { ...step, state: "done", detail: `WEBEX_REFRESH_TOKEN is a secret of ${describePlace(place)}` }
    : { ...step, state: "todo", detail: "allow Rollcall in a browser once, and store the refresh token" };
}

function viewProposal({ owners, hasRows, pull }: Standing): Step {
  const step = { id: "proposal", title: "Pull request" } as const;
  if (pull !== null) return { ...step, state: "done", detail: `#${pull.number} is open: ${pull.url}` };
  const files = [
    ...(owners === "placeholders" ? ["your code owners in .github/CODEOWNERS"] : []),
    ...(hasRows ? [] : ["rows for the mappings in mode audit, which changes nobody"]),
  ];
  return files.length === 0
    ? { ...step, state: "done", detail: "nothing is left to propose" }
    : { ...step, state: "todo", detail: `propose ${files.join(" and ")}` };
}

/** Names a place in words. */
export function describePlace(place: string | null): string {
  return place === null ? "the repository" : `the environment ${place}`;
}
