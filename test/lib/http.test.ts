import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { graceAfter, HttpFailure, sendHttp } from "../../src/lib/http.ts";
import { startProxy } from "../support/proxy.ts";
import { drop, hang, startScript, truncate } from "../support/scripted-server.ts";

// Nobody trusts it: a certificate that signs itself, made for this test.
const certificateBytes =
  "MIIBfjCCASWgAwIBAgIUJ7Ss0fah1zxXvUVk6RTj69WRl/IwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJMTI3LjAuMC4xMCAX" +
  "DTI2MTEyNjE1NTU1NFoYDzIxMjYxMTAyMTU1NTU0WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO" +
  "PQMBBwNCAATSCuyu6RwisXmFChYFypB8m3UEP+3X6DM9F/JROc3WQtY9r6H9kEIPco5MHZvfhhRwPeo415kDBneZwYqeKP9H" +
  "o1MwUTAdBgNVHQ4EFgQUmR45Co+pUU+0/8dcpWZgaxYF2MEwHwYDVR0jBBgwFoAUmR45Co+pUU+0/8dcpWZgaxYF2MEwDwYD" +
  "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBaMdhXyCMa3NToHgWgUGl4ve9h5AT2DNu4ZWZbJGmx4QIgKa/O7EaR" +
  "L4caIgiNDhvPUF4qCctMXFEFBWBmE7WRKPA=";
const keyBytes =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7F7tiiwgIqj3YyNZ4t202oIn57E9AqezhhlNL9UjYgGhRANC" +
  "AATSCuyu6RwisXmFChYFypB8m3UEP+3X6DM9F/JROc3WQtY9r6H9kEIPco5MHZvfhhRwPeo415kDBneZwYqeKP9H";
const cert = new X509Certificate(Buffer.from(certificateBytes, "base64")).toString();
const key = createPrivateKey({ key: Buffer.from(keyBytes, "base64"), format: "der", type: "pkcs8" })
  .export({ format: "pem", type: "pkcs8" })
  .toString();

/** What a request that brings no answer ends with. */
async function fail(url: string, options: { signal?: AbortSignal; timeoutMs?: number } = {}) {
  const sent = sendHttp({ method: "GET", url: new URL(url), headers: {}, ...options });
  const error = await sent.then(
    () => assert.fail("an answer came"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HttpFailure, String(error));
  return error;
}

test("an answer of any status is read whole, with its headers by their names in lower case", async () => {
  await using server = await startScript(() => ({ status: 418, headers: { Link: ["a", "b"] }, body: "é" }));
  const url = new URL(`${server.url}/x?y=%20`);
  const reply = await sendHttp({ method: "POST", url, headers: { "x-one": "1" }, body: "é" });
  assert.deepEqual([reply.status, reply.headers.get("link"), reply.text], [418, "a, b", "é"]);
  const [{ method, path, body, headers } = assert.fail("nothing was sent")] = server.requests;
  assert.deepEqual([method, path, body, headers["x-one"]], ["POST", "/x?y=%20", "é", "1"]);
});

test("a redirect is an answer, and is not followed", async () => {
  await using other = await startScript(() => ({}));
  await using server = await startScript(() => ({ status: 307, headers: { location: other.url } }));
  const reply = await sendHttp({ method: "GET", url: new URL(server.url), headers: {} });
  assert.deepEqual([reply.status, other.requests.length], [307, 0]);
});

test("what fails before a request is written says that nothing was sent", async () => {
  const closed = await startScript(() => ({}));
  await closed[Symbol.asyncDispose]();
  await using plain = await startScript(() => ({}));
  const untrusted = createTlsServer({ key, cert }).listen(0, "127.0.0.1");
  await once(untrusted, "listening");
  const address = untrusted.address();
  assert.ok(typeof address === "object" && address !== null);
  const failures = [
    [closed.url, /ECONNREFUSED/],
    ["http://nowhere.invalid/", /ENOTFOUND|EAI_AGAIN/],
    [plain.url.replace("http:", "https:"), /wrong version number/],
    [`https://127.0.0.1:${address.port}`, /not trusted here.*NODE_EXTRA_CA_CERTS/],
  ] as const;
  for (const [url, told] of failures) {
    const error = await fail(url);
    assert.match(error.message, told);
    assert.deepEqual([error.mayBeSent, error.message.endsWith("; nothing was sent")], [false, true], url);
  }
  untrusted.close();
});

test("a request whose answer is lost may have been sent; what had arrived is kept", async () => {
  for (const script of [drop, hang]) {
    await using server = await startScript(() => script);
    const { mayBeSent, received, message } = await fail(server.url, { timeoutMs: 100 });
    assert.deepEqual([mayBeSent, received], [true, null]);
    assert.doesNotMatch(message, /nothing was sent/);
  }
  await using server = await startScript(() => truncate);
  const { mayBeSent, received } = await fail(server.url);
  assert.deepEqual([mayBeSent, received?.status, received?.text], [true, 200, '{"items":[']);
});

test("what hangs is given up a while after a stop, and what was given up already is not sent", async () => {
  await using server = await startScript(() => hang);
  const stop = new AbortController();
  const signal = graceAfter(stop.signal, 50);
  assert.ok(signal);
  const failure = fail(server.url, { signal });
  stop.abort();
  assert.match((await failure).message, /^given up 0.05 s after the run was stopped$/);
  assert.equal((await fail(server.url, { signal })).mayBeSent, false);
  assert.equal(server.requests.length, 1);
  assert.equal(graceAfter(undefined, 50), undefined);
});

/** Sends a request in a process of its own, with these variables, and tells the status. */
async function sendElsewhere(
  url: string,
  env: Readonly<Record<string, string>>,
  before = "",
): Promise<string> {
  const module = new URL("../../src/lib/http.ts", import.meta.url).href;
  const code = `import { bypassProxies, sendHttp } from ${JSON.stringify(module)};
    ${before}
    const reply = await sendHttp({ method: "GET", url: new URL(process.env.TARGET), headers: {} });
    console.log(reply.status);`;
  const loader = import.meta.resolve("tsx");
  const child = spawn(process.execPath, ["--import", loader, "--input-type=module", "--eval", code], {
    env: { PATH: process.env.PATH, TARGET: url, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (await text(child.stdout)).trim();
}

test("HTTP_PROXY is used unless NO_PROXY names the host, or proxies are bypassed", async () => {
  await using server = await startScript(() => ({ status: 204 }));
  using proxy = await startProxy();
  const { host } = new URL(server.url);
  assert.equal(await sendElsewhere(server.url, { HTTP_PROXY: proxy.url }), "204");
  assert.deepEqual(proxy.places, [host]);
  assert.equal(await sendElsewhere(server.url, { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" }), "204");
  assert.equal(await sendElsewhere(server.url, { HTTP_PROXY: proxy.url }, "bypassProxies();"), "204");
  assert.deepEqual([proxy.places.length, server.requests.length], [1, 3]);
});
