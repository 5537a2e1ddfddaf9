await import("../src/run/session.ts");
import { appendFileSync } from "node:fs"; const u = process.cpuUsage(); appendFileSync("/tmp/wt/speedtmp/cpu.log", JSON.stringify({ cpu: (u.user + u.system) / 1000, wall: performance.now() }) + "\n");
