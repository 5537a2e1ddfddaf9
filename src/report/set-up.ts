import { codeSpan, linkTo, type Markdown, md } from "./markdown.ts";
import { nameOrganisation } from "./words.ts";

export interface SetupGuideInput {
  /** The names of the variables that hold something. */
  readonly present: ReadonlySet<string>;
  readonly repositoryUrl: string;
  /** The environment that holds the secrets; null for the repository's own. */
  readonly environment: string | null;
  /** Null where there is only one. */
  readonly organisation: string | null;
  readonly mappingsFile: string;
  readonly roomCount: number;
}

/** Builds the to-do list of a copy that is not set up yet, in the order of the steps. */
export function viewSetupGuide(input: SetupGuideInput) {
  const { present, repositoryUrl, environment, roomCount, organisation, mappingsFile } = input;
  const option = organisation === null ? "" : ` -- --organisation ${organisation}`;
  const settings = `${repositoryUrl}/settings`;
  const secrets = linkTo(md`Settings → Secrets and variables → Actions`, `${settings}/secrets/actions`);
  const variables = linkTo(md`Settings → Secrets and variables → Actions`, `${settings}/variables/actions`);
  const environments = linkTo(md`Settings → Environments`, `${settings}/environments`);
  const secretScope =
    environment === null ? secrets : md`${environments} → ${codeSpan(environment)} → Environment secrets`;
  const permission = environment === null ? md`Secrets: Read and write` : md`Environments: Read and write`;
  const has = (name: string) => present.has(name);
  const step = (isDone: boolean, text: Markdown) => ({ box: isDone ? md`[x]` : md`[ ]`, text });
  return {
    whose: nameOrganisation(organisation),
    steps: [
      ...(environment === null
        ? []
        : [
            step(
              false,
              md`Create the environment ${codeSpan(environment)} in ${environments}, and let only the default branch use it: nothing else protects the token.`,
            ),
          ]),
      step(
        has("WEBEX_CLIENT_ID"),
        md`${codeSpan("WEBEX_CLIENT_ID")}: create an integration at ${linkTo(md`developer.webex.com`, "https://developer.webex.com/my-apps/new/integration")}, and store its client id as a variable (${variables}).`,
      ),
      step(
        has("WEBEX_CLIENT_SECRET"),
        md`${codeSpan("WEBEX_CLIENT_SECRET")}: store the integration's client secret as a secret (${secretScope}).`,
      ),
      step(
        has("SECRETS_TOKEN"),
        md`${codeSpan("SECRETS_TOKEN")}: create a ${linkTo(md`fine-grained token`, "https://github.com/settings/personal-access-tokens/new")} for this repository only, with ${permission}, and store it as a secret (${secretScope}). Each run uses it to store the refresh token that Webex issues.`,
      ),
      step(
        has("WEBEX_REFRESH_TOKEN"),
        md`${codeSpan("WEBEX_REFRESH_TOKEN")}: run ${codeSpan(`npm run login${option}`)} on your machine. It opens Webex in a browser and stores the secret.`,
      ),
      step(
        roomCount > 0,
        md`${codeSpan(mappingsFile)}: add rows in a pull request: a group, and the space its members belong in.`,
      ),
      step(
        false,
        md`Run ${codeSpan(`npm run doctor${option}`)}: it checks all of this and says what is still wrong.`,
      ),
    ],
  };
}
