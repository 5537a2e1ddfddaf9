import type { Context } from "../cli/context.ts";
import type { Check } from "../report/checklist.ts";
import { conclude, ok, skip, wrong } from "./doctor-checks.ts";

/** Milliseconds; what GitHub and Webex date is compared by their own clocks, so less is no matter. */
const maxSkewMs = 5 * 60_000;

/** Checks the clock of this machine against Webex's. */
export function checkClock(webexDate: Date | null, { now }: Context): Check {
  const title = "Clock";
  if (webexDate === null) return skip("clock", title, "Webex did not say what time it is");
  const skewMs = now().getTime() - webexDate.getTime();
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const detail =
    seconds < 60
      ? "agrees with Webex's"
      : `${Math.round(seconds / 60)} minutes ${skewMs > 0 ? "ahead of" : "behind"} Webex's`;
  if (Math.abs(skewMs) <= maxSkewMs) return conclude("clock", title, ok(detail));
  const remedy = "Set this machine's clock, best by NTP: rows end, and logins are warned about, by its date";
  return conclude("clock", title, wrong(detail, remedy));
}

/** Checks the variables that name a proxy. */
export function checkProxy({ settings }: Context): Check {
  const title = "Proxy";
  const { proxies } = settings;
  const malformed = proxies.filter(({ host }) => host === null).map(({ name }) => name);
  if (malformed.length > 0) {
    const remedy = "Write an address such as http://proxy.acme.example:3128";
    return conclude("proxy", title, wrong(`${malformed.join(" and ")} cannot be read`, remedy));
  }
  if (proxies.length === 0) return conclude("proxy", title, ok("none; requests go straight out"));
  return conclude("proxy", title, ok(proxies.map(({ name, host }) => `${name} leads to ${host}`).join(", ")));
}
