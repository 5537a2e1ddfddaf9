import {createRequire} from "node:module"; const l = createRequire(import.meta.url); l("valibot");
import { appendFileSync } from "node:fs"; const u = process.cpuUsage(); appendFileSync("/tmp/wt/speedtmp/cpu.log", JSON.stringify({ cpu: (u.user + u.system) / 1000, wall: performance.now() }) + "\n");
