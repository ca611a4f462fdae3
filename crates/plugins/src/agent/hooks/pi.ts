// Tells ao what Pi does.
import { spawnSync } from "node:child_process";

const AO = {ao};

export default function (pi: any) {
  for (const event of ["agent_start", "tool_call", "agent_end"]) {
    pi.on(event, (_: any, context: any) => {
      const session = context?.sessionManager;
      const told = { session_id: session?.getSessionId?.(), transcript_path: session?.getSessionFile?.() };
      try {
        spawnSync(AO, ["hook", "pi", event, JSON.stringify(told)], { stdio: "ignore", timeout: 2000 });
      } catch {}
    });
  }
}
