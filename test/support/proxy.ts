import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A proxy that makes tunnels and keeps the places they are to lead to; with `to` all of them lead there. */
export async function startProxy(to?: string) {
  const places: string[] = [];
  const proxy = createServer((client: Socket) => {
    client.on("error", () => undefined);
    client.once("data", (head) => {
      const place = /^CONNECT (\S+)/.exec(head.toString())?.[1] ?? head.toString();
      places.push(place);
      const [host = "", port = ""] = (to ?? place).split(":");
      const target = connect(Number(port), host, () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      target.on("error", () => client.destroy());
      client.pipe(target).pipe(client);
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the proxy got no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    places,
    [Symbol.dispose]: () => void proxy.close(),
  };
}
