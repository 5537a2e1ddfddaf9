// Loaded into the measured process: tells its peak memory, in KiB, when it ends.
import { writeFileSync } from "node:fs";

process.on("exit", () =>
  writeFileSync(process.env.ROLLCALL_BENCH_PEAK, String(process.resourceUsage().maxRSS)),
);
