import assert from "node:assert/strict";
import { test } from "node:test";
import sodium from "libsodium-wrappers";
import type { Exchange } from "../../sandbox/http.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { createCall, small } from "./client.ts";

const check = loadContracts();

function findings(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap(check);
}

const request = { number: 1, at: 0, half: "github", route: "", headers: {}, body: undefined } as const;

test("every operation of the sandbox's GitHub answers as the contract says", async () => {
  const files = { "README.md": "Read me", "mappings/rooms.csv": "group,room" };
  const github = { environments: ["webex"], tokenIn: "both", files } as const;
  await using sandbox = await startSandbox(small, { github });
  const environment = sandbox.githubEnvironment();
  const base = `${environment.GITHUB_API_URL}/repos/acme/spaces`;
  const call = createCall(base, `token ${environment.SECRETS_TOKEN}`);
  sandbox.github.writeFile("other.md", "so that the head has a parent");
  for (const path of [
    "",
    "/branches/main",
    "/git/ref/heads/main",
    "/contents/README.md?ref=main",
    `/actions/runs/${environment.GITHUB_RUN_ID}`,
    "/environments/webex",
    "/contents/none.md",
    "/contents/mappings",
    "/git/trees/main?recursive=1",
    "/commits?path=README.md&sha=main&per_page=1",
    "/commits/main",
    "/commits/none",
    "/actions/workflows",
    "/actions/secrets",
  ]) {
    await call("GET", path);
  }
  for (const body of [{ ref: "main" }, { ref: "none" }, { ref: "main", return_run_details: true }]) {
    await call("POST", "/actions/workflows/sync.yml/dispatches", body);
  }
  const issue = sandbox.github.issues.open("rollcall[bot]", "Rollcall", "", { app: "Iv23example" });
  const { id } = sandbox.github.issues.comment(issue.number, "ann", "/approve");
  await call("GET", `/issues/${issue.number}`);
  await call("GET", `/issues/comments/${id}`);
  for (const content of ["eyes", "eyes", "-1"])
    await call("POST", `/issues/comments/${id}/reactions`, { content });
  for (const login of ["octo-admin", "ann", "rollcall[bot]"])
    await call("GET", `/collaborators/${login}/permission`);
  await sodium.ready;
  for (const place of ["/actions/secrets", "/environments/webex/secrets"]) {
    const { body } = await call("GET", `${place}/public-key`);
    const box = sodium.crypto_box_seal("value", Buffer.from(String(body.key), "base64"));
    const sealed = { encrypted_value: Buffer.from(box).toString("base64"), key_id: body.key_id };
    await call("PUT", `${place}/PROBE`, sealed);
    await call("PUT", `${place}/PROBE`, sealed);
    await call("PUT", `${place}/1PROBE`, sealed);
    await call("GET", `${place}/PROBE`);
    await call("DELETE", `${place}/PROBE`);
    await createCall(base, `token ${environment.GITHUB_TOKEN}`)("PUT", `${place}/PROBE`, sealed);
  }
  assert.deepEqual(findings(sandbox.requests), []);
});

test("the checker finds what the contract doesn't have", () => {
  const wrong: [Partial<Exchange> & { method: string; path: string }, RegExp][] = [
    [{ method: "GET", path: "/repos/a/b/spaces" }, /operation is not in the contract/],
    [{ method: "GET", path: "/repos/a/b/commits?size=3" }, /query parameter size is not in the contract/],
    [{ method: "GET", path: "/repos/a/b/commits?page=many" }, /query parameter page: .*must be integer/],
    [
      { method: "GET", path: "/repos/a/b/issues?state=half" },
      /query parameter state: .*must be equal to one of/,
    ],
    [{ method: "POST", path: "/repos/a/b/issues", body: { body: "x" } }, /request body: .*title/],
    [{ method: "GET", path: "/repos/a/b/issues", body: {} }, /request body: the contract has none/],
    [
      { method: "GET", path: "/repos/a/b/issues/1", status: 202, response: {} },
      /status 202 is not in the contract/,
    ],
    [
      { method: "DELETE", path: "/repos/a/b/actions/secrets/X", status: 204, response: {} },
      /body of 204: the contract has none/,
    ],
    [{ method: "GET", path: "/repos/a/b/actions/runs/x" }, /path parameter run_id: .*must be integer/],
    [
      { method: "GET", path: "/repos/a/b/actions/runs/1", status: 404, response: { message: 1 } },
      /body of 404: .*message must be string/,
    ],
  ];
  for (const [exchange, expected] of wrong) {
    const found = findings([{ ...request, ...exchange }]);
    assert.equal(found.length, 1, exchange.path);
    assert.match(found[0] ?? "", expected);
  }
});
