import assert from "node:assert/strict";
import { test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startProxy } from "../support/proxy.ts";
import { startStory } from "../support/story.ts";

test("behind a proxy every request goes through it, to Webex and to GitHub, unless NO_PROXY names the host", async () => {
  await using story = await startStory(organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["old"] } }), [
    "eng,NOC",
  ]);
  const { host, hostname, port } = new URL(story.sandbox.url);
  using proxy = await startProxy(host);
  // Nothing listens there: only the proxy leads to the sandbox.
  const far = `127.0.0.2:${port}`;
  const given = Object.entries(story.sandbox.githubEnvironment());
  const env = Object.fromEntries(given.map(([name, value]) => [name, value.replace(host, far)]));
  const ending = await story.run(["sync"], { env: { ...env, HTTP_PROXY: proxy.url } });
  assert.deepEqual([ending.code, ending.commits, [...new Set(proxy.places)]], [0, 1, [far]], ending.stderr);
  const before = proxy.places.length;
  const direct = await story.run(["sync"], { env: { HTTP_PROXY: proxy.url, NO_PROXY: hostname } });
  assert.deepEqual([direct.code, proxy.places.length], [0, before]);
});

test("a proxy that is not there stops the run before anything is sent, and it is said that nothing was", async () => {
  await using story = await startStory(organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann"] } }), [
    "eng,NOC",
  ]);
  const gone = await startProxy();
  gone[Symbol.dispose]();
  const ending = await story.run(["sync"], { env: { HTTP_PROXY: gone.url } });
  assert.deepEqual([ending.code, ending.requests], [1, []]);
  assert.match(ending.stderr, /ECONNREFUSED.*; nothing was sent/);
});
