/**
 * Loaded before the program: pauses and time limits pass so many times faster, as does the clock that only goes
 * forward. Dates stay: they are compared with those of the sandbox. A request that hangs for 30 s costs one second.
 */
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import promises from "node:timers/promises";

const speed = Number(process.env.SWEEP_SPEED);
const { setTimeout, setInterval } = globalThis;
const { setTimeout: delay } = promises;
const now = performance.now.bind(performance);

const shorten = (ms) => (typeof ms === "number" ? ms / speed : ms);
globalThis.setTimeout = timers.setTimeout = (work, ms, ...rest) => setTimeout(work, shorten(ms), ...rest);
globalThis.setInterval = timers.setInterval = (work, ms, ...rest) => setInterval(work, shorten(ms), ...rest);
promises.setTimeout = (ms, ...rest) => delay(shorten(ms), ...rest);
performance.now = () => now() * speed;
syncBuiltinESMExports();
