import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { createFolder } from "../support/run-rollcall.ts";

test("discover lists ids and sizes, and its output is a rooms.csv that validate and plan take", async () => {
  const people = organisation({
    groups: { "Noc, night": ["ann", "bob"], "Service Desk": ["ann"], Lonely: [] },
    rooms: { "NOC night": ["ann"], "Servce Desk": [], "# odd": [] },
  });
  await using sandbox = await startSandbox(people);
  await using folder = await createFolder();
  const env = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
  const { code, stdout, stderr } = await folder.run(["discover", "--csv", "mappings/rooms.csv"], env);
  assert.equal(code, 0, stderr);
  assert.equal(await folder.read("mappings/rooms.csv"), stdout);
  assert.ok(stdout.includes(`#        2  Noc, night  ${sandbox.groupId("Noc, night")}`), stdout);
  assert.ok(stdout.includes(`#        1  # odd  ${sandbox.roomId("# odd")}`), stdout);
  assert.deepEqual(
    stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    [
      "group,room,mode,note",
      '"Noc, night",NOC night,audit,same name',
      "Service Desk,Servce Desk,audit,similar name",
    ],
  );
  assert.equal((await folder.run(["validate"], {})).code, 0);
  assert.equal((await folder.run(["plan"], env)).code, 0);
});
