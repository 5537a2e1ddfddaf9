// Loaded into the measured process; writes its peak memory in KiB when it exits.
import { writeFileSync } from "node:fs";

process.on("exit", () =>
  writeFileSync(process.env.ROLLCALL_BENCH_PEAK, String(process.resourceUsage().maxRSS)),
);
