import { spawn } from "node:child_process";

/**
 * Opens an address in the person's browser, where there is one; whatever goes wrong is no matter, as the address is
 * printed as well.
 */
export function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler", url]
        : ["xdg-open", url];
  // Nobody sits in front of a program whose output goes into a pipe.
  if (command === undefined || !process.stdout.isTTY) return;
  const browser = spawn(command, args, { detached: true, stdio: "ignore" });
  browser.on("error", () => undefined);
  browser.unref();
}
