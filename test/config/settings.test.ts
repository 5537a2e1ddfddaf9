import assert from "node:assert/strict";
import { test } from "node:test";
import { type Environment, readActions } from "../../src/config/actions.ts";
import { ConfigError, createSettings, readConfig } from "../../src/config/settings.ts";

const secrets = {
  WEBEX_CLIENT_SECRET: "client-secret-value",
  WEBEX_REFRESH_TOKEN: "refresh-token-value",
  SECRETS_TOKEN: "secrets-token-value",
  GITHUB_TOKEN: "github-token-value",
};
const webex = { WEBEX_CLIENT_ID: "C1", WEBEX_CLIENT_SECRET: secrets.WEBEX_CLIENT_SECRET };
const file: Environment = { ...webex, WEBEX_TOKEN_FILE: "/var/lib/rollcall/token" };
const secret: Environment = {
  ...webex,
  WEBEX_REFRESH_TOKEN: secrets.WEBEX_REFRESH_TOKEN,
  SECRETS_TOKEN: secrets.SECRETS_TOKEN,
  GITHUB_REPOSITORY: "acme/spaces",
};
const repository = {
  owner: "acme",
  name: "spaces",
  apiUrl: "https://api.github.com",
  graphqlUrl: "https://api.github.com/graphql",
  serverUrl: "https://github.com",
};

/** The faults of an environment; none of its secrets may be among them. */
function faultsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    for (const value of Object.values(secrets)) assert.equal(error.message.includes(value), false);
    return error.message.split("; ");
  }
}

const nowhere =
  "Rollcall needs a place to save the renewed token: set WEBEX_TOKEN_FILE, or GITHUB_REPOSITORY and SECRETS_TOKEN";

test("a token file and the integration are enough, and everything else has a default", () => {
  const { xmlUrl: _, siteUrl: __, ...config } = readConfig(file);
  assert.deepEqual(config, {
    webexUrl: "https://webexapis.com/v1",
    maxRequests: 64,
    clientId: "C1",
    clientSecret: "client-secret-value",
    tokenStore: { kind: "file", path: "/var/lib/rollcall/token", seed: null },
    reportTarget: { kind: "folder" },
    secrets: ["client-secret-value"],
  });
});

test("with a token file, WEBEX_REFRESH_TOKEN is only its seed", () => {
  assert.deepEqual(readConfig({ ...secret, WEBEX_TOKEN_FILE: "token" }).tokenStore, {
    kind: "file",
    path: "token",
    seed: "refresh-token-value",
  });
});

test("without a token file, the refresh token is stored in the secret of the repository or its environment", () => {
  const place = {
    kind: "secret",
    refreshToken: "refresh-token-value",
    secretsToken: "secrets-token-value",
    repository,
    environment: null,
    run: null,
  };
  assert.deepEqual(readConfig(secret).tokenStore, place);
  assert.deepEqual(readConfig({ ...secret, WEBEX_ENVIRONMENT: "webex" }).tokenStore, {
    ...place,
    environment: "webex",
  });
});

test("every secret that is set is listed as one, and white space around values is ignored", () => {
  const env = Object.fromEntries(
    Object.entries({ ...secret, ...secrets, GITHUB_REF_NAME: "main" }).map(([name, value]) => [
      name,
      ` ${value}\n`,
    ]),
  );
  const config = readConfig(env);
  assert.deepEqual([...config.secrets].sort(), Object.values(secrets).sort());
  assert.equal(config.clientId, "C1");
});

test("settings that are read are masked by then, and nothing is read before it is asked for", () => {
  const masked: string[] = [];
  const settings = createSettings({ ...secret, ...secrets, GITHUB_REF_NAME: "main" }, (one) =>
    masked.push(one),
  );
  assert.deepEqual(masked, []);
  settings.readConfig();
  assert.deepEqual(masked.sort(), Object.values(secrets).sort());
  assert.throws(() => settings.readSiteConfig(), /^ConfigError: WEBEX_SITE_URL is missing/);
});

test("without anything set only what needs it throws", () => {
  const settings = createSettings({}, () => undefined);
  assert.deepEqual([settings.repository, settings.isUnconfigured, settings.has("CI")], [null, false, false]);
  assert.throws(() => settings.readConfig(), ConfigError);
  assert.throws(() => settings.requireRepository(), /GITHUB_REPOSITORY and GITHUB_TOKEN must be set/);
});

const onBranch = { ...file, GITHUB_REPOSITORY: "acme/spaces", GITHUB_TOKEN: "github-token-value" };
const branch = { kind: "branch", repository, token: "github-token-value" };
const places: readonly [fact: string, env: Environment, place: object][] = [
  [
    "to the branch of the run",
    { ...onBranch, GITHUB_REF_NAME: "main" },
    { ...branch, branch: "main", isNamed: false },
  ],
  [
    "to REPORT_BRANCH when it is set",
    { ...onBranch, GITHUB_REF_NAME: "main", REPORT_BRANCH: "reports" },
    { ...branch, branch: "reports", isNamed: true },
  ],
  ["to a folder without a repository", { ...onBranch, GITHUB_REPOSITORY: "" }, { kind: "folder" }],
  ["to a folder without a token for the repository", { ...onBranch, GITHUB_TOKEN: " " }, { kind: "folder" }],
];
for (const [fact, env, place] of places) {
  test(`the report goes ${fact}`, () => assert.deepEqual(readConfig(env).reportTarget, place));
}

test("one error names everything that is missing", () => {
  assert.deepEqual(faultsOf({}), [
    "WEBEX_CLIENT_ID is missing (the Webex integration's client id)",
    "WEBEX_CLIENT_SECRET is missing (the Webex integration's client secret)",
    "WEBEX_REFRESH_TOKEN is missing (the refresh token",
    "npm run login gets the first one)",
    nowhere,
    "SECRETS_TOKEN is missing (a token that may write the secret WEBEX_REFRESH_TOKEN)",
    "GITHUB_REPOSITORY is missing (the repository, as owner/name)",
  ]);
});

for (const [open, close] of [
  ['"', '"'],
  ["'", "'"],
  ["“", "”"],
  ["„", "“"],
]) {
  test(`a value in ${open}${close} is told as that, and nothing that follows from it`, () => {
    const quote = (name: string) => `${open}${secret[name]}${close}\n`;
    const env = {
      ...secret,
      WEBEX_API_URL: `${open}https://webexapis.com/v1${close}`,
      GITHUB_STEP_SUMMARY: "",
    };
    const names = ["WEBEX_CLIENT_SECRET", "WEBEX_API_URL"];
    assert.deepEqual(faultsOf({ ...env, WEBEX_CLIENT_SECRET: quote("WEBEX_CLIENT_SECRET") }), [
      `quotes stand around the values of ${names.join(", ")}, as a part of them`,
      "take the quotes away where the values are set",
    ]);
    assert.deepEqual(faultsOf({ ...secret, SECRETS_TOKEN: quote("SECRETS_TOKEN") }), [
      "quotes stand around the value of SECRETS_TOKEN, as a part of it",
      "take the quotes away where the value is set",
    ]);
  });
}

const missing: readonly [name: string, env: Environment, fault: string][] = [
  ["WEBEX_CLIENT_ID", file, "WEBEX_CLIENT_ID is missing (the Webex integration's client id)"],
  [
    "SECRETS_TOKEN",
    secret,
    "SECRETS_TOKEN is missing (a token that may write the secret WEBEX_REFRESH_TOKEN)",
  ],
  ["GITHUB_REPOSITORY", secret, "GITHUB_REPOSITORY is missing (the repository, as owner/name)"],
  [
    "GITHUB_REF_NAME",
    { ...onBranch, GITHUB_REF_NAME: "main" },
    "GITHUB_REF_NAME is missing (the branch for reports, unless REPORT_BRANCH is set)",
  ],
];
for (const [name, env, fault] of missing) {
  test(`the error names ${name} when only that is missing or blank`, () => {
    assert.deepEqual(faultsOf({ ...env, [name]: undefined }), [fault]);
    assert.deepEqual(faultsOf({ ...env, [name]: "  " }), [fault]);
  });
}

test("without a place to store a rotated token the error says so", () => {
  assert.ok(faultsOf({ ...webex, WEBEX_REFRESH_TOKEN: "refresh-token-value" }).includes(nowhere));
});

for (const value of ["acme", "acme/", "/spaces", "acme/spaces/more"]) {
  test(`"${value}" is not a repository`, () => {
    const fault = "GITHUB_REPOSITORY must have the form owner/name";
    assert.deepEqual(faultsOf({ ...secret, GITHUB_REPOSITORY: value }), [fault]);
  });
}

const urls: readonly [url: string, isAllowed: boolean][] = [
  ["https://api-usgov.webex.com/v1", true],
  ["http://127.0.0.1:8080/v1", true],
  ["http://127.9.9.9/v1", true],
  ["http://localhost:3000", true],
  ["http://LOCALHOST/v1", true],
  ["http://[::1]:8080/v1", true],
  ["http://webexapis.com/v1", false],
  ["http://localhost.evil.com/v1", false],
  ["http://127.0.0.1.evil.com/v1", false],
  ["http://evil.com/127.0.0.1", false],
  ["http://[::2]/v1", false],
  ["http://localhost@evil.com/v1", false],
  ["https://user@webexapis.com/v1", false],
  ["https://:password@webexapis.com/v1", false],
  ["ftp://webexapis.com/v1", false],
  ["file:///etc/passwd", false],
  ["webexapis.com/v1", false],
  ["https://", false],
];
for (const [url, isAllowed] of urls) {
  test(`the URL ${url} is ${isAllowed ? "allowed" : "refused"}`, () => {
    const fault = "WEBEX_API_URL must be an https address (http only on a loopback address)";
    assert.deepEqual(faultsOf({ ...file, WEBEX_API_URL: url }), isAllowed ? [] : [fault]);
  });
}

test("GitHub's URLs follow the same rule, and all errors are reported together", () => {
  const names = ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_SERVER_URL"];
  const env = { ...file, ...Object.fromEntries(names.map((name) => [name, "http://github.example"])) };
  const rule = "must be an https address (http only on a loopback address)";
  assert.deepEqual(
    faultsOf(env),
    names.map((name) => `${name} ${rule}`),
  );
});

test("the most requests at once are a whole number that a run can use", () => {
  assert.equal(readConfig({ ...file, WEBEX_MAX_REQUESTS: " 5 " }).maxRequests, 5);
  assert.equal(readConfig({ ...file, WEBEX_MAX_REQUESTS: "" }).maxRequests, 64);
  for (const value of ["0", "65", "-1", "1.5", "8 at once"])
    assert.deepEqual(faultsOf({ ...file, WEBEX_MAX_REQUESTS: value }), [
      "WEBEX_MAX_REQUESTS must be a whole number from 1 to 64",
    ]);
});

test("a URL loses its final slash, so that paths can be appended", () => {
  assert.equal(
    readConfig({ ...file, WEBEX_API_URL: "https://webexapis.com/v1//" }).webexUrl,
    "https://webexapis.com/v1",
  );
});

test("on a person's machine there are no runner variables", () => {
  const { runAttempt, ...offers } = readActions({});
  assert.equal(runAttempt, 1);
  assert.deepEqual(Object.values(offers).filter(Boolean), []);
});

test("on a runner there are links to the run and the repository", () => {
  const env = {
    GITHUB_ACTIONS: "true",
    GITHUB_STEP_SUMMARY: "summary.md",
    GITHUB_OUTPUT: "output.txt",
    GITHUB_RUN_ID: "4711",
    GITHUB_REPOSITORY: "acme/spaces",
    GITHUB_SERVER_URL: "https://ghe.example",
  };
  const { isRunner, summaryFile, outputFile, runId, repositoryUrl, runUrl } = readActions(env);
  assert.deepEqual([isRunner, summaryFile, outputFile, runId], [true, "summary.md", "output.txt", "4711"]);
  assert.equal(repositoryUrl, "https://ghe.example/acme/spaces");
  assert.equal(runUrl, "https://ghe.example/acme/spaces/actions/runs/4711");
});
