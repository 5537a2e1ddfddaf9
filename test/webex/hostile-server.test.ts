import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { HttpFailure, sendHttp } from "../../src/lib/http.ts";
import { startScript } from "../support/scripted-server.ts";

// What a hostile server may put into one answer, and where a next page may lead, is played in test/simulation too; this
// is about how much there is of it, and how fast it comes.

interface Measured {
  readonly said: string;
  /** The most memory that the process ever had. */
  readonly megabytes: number;
}

/** Runs a piece of code against a server in a process of its own; what it gives back is what it said. */
async function measure(url: string, code: string): Promise<Measured> {
  const source = new URL("../../src/", import.meta.url).href;
  const program = `
    const { sendHttp } = await import("${source}lib/http.ts");
    const { createWebexClient } = await import("${source}webex/client.ts");
    const { listRooms } = await import("${source}webex/rooms.ts");
    const url = process.env.TARGET;
    const client = createWebexClient({ baseUrl: url + "/v1", accessToken: "a token", attempts: 1 });
    const said = await (async () => { ${code} })().catch((error) => error.message);
    console.log(JSON.stringify({ said, megabytes: process.resourceUsage().maxRSS / 1024 }));`;
  const loader = import.meta.resolve("tsx");
  const child = spawn(process.execPath, ["--import", loader, "--input-type=module", "--eval", program], {
    env: { PATH: process.env.PATH, TARGET: url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout));
}

/** Sends a hundred megabytes, as fast as they are taken. */
function sendMuch(response: ServerResponse): void {
  const chunk = Buffer.alloc(1_000_000, " ");
  let left = 100;
  const send = () => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once("drain", send);
    }
    response.end();
  };
  response.writeHead(200, { "content-type": "application/json" });
  send();
}

test("an answer of 100 MB is given up, and memory stays bounded", async (t) => {
  await using small = await startScript(() => ({ body: { items: [] } }));
  await using big = await startScript(() => sendMuch);
  const code = "return JSON.stringify(await listRooms(client));";
  const [little, much] = [await measure(small.url, code), await measure(big.url, code)];
  assert.equal(little.said, '{"complete":true,"items":[]}');
  assert.match(much.said, /"complete":false.*exceed/i);
  const more = Math.round(much.megabytes - little.megabytes);
  t.diagnostic(`a list in one answer of 100 MB: ${more} MB more than a list in an empty one`);
  assert.ok(more < 200, `${more} MB`);
});

test("a list that never ends is given up, and memory stays bounded", async (t) => {
  let count = 0;
  await using server = await startScript(({ headers }) => {
    const items = Array.from({ length: 1000 }, () => {
      count += 1;
      const id = Buffer.from(`ciscospark://us/ROOM/${count}`).toString("base64url");
      return { id, title: `Space ${count}`, type: "group", isLocked: false };
    });
    const link = `<http://${headers.host}/v1/rooms?max=1000&cursor=${count}>; rel="next"`;
    return { headers: { link }, body: { items } };
  });
  const found = await measure(
    server.url,
    "const { complete, reason } = await listRooms(client); return complete ? 'complete' : reason;",
  );
  assert.match(found.said, /^it has more than \d+ /);
  t.diagnostic(`an endless list: ${found.said}, ${Math.round(found.megabytes)} MB in all`);
  assert.ok(found.megabytes < 1500, `${found.megabytes} MB`);
});

test("an answer that comes drop by drop is given up", async () => {
  const timers: NodeJS.Timeout[] = [];
  await using server = await startScript(() => (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    timers.push(setInterval(() => response.write(" "), 20));
  });
  const sent = sendHttp({ method: "GET", url: new URL(server.url), headers: {}, timeoutMs: 100 });
  const error = await sent.then(
    () => assert.fail("it ended"),
    (reason: unknown) => reason,
  );
  for (const timer of timers) clearInterval(timer);
  assert.ok(error instanceof HttpFailure && error.mayBeSent, String(error));
  assert.match(error.message, /had not ended 0.4 s after it began/);
});
