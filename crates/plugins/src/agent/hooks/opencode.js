// Tells ao what OpenCode does, and keeps what its conversation used in a file of this session.
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";

const AO = {ao};
const FILE = {transcript};

const tell = (event, session) => {
  try {
    spawnSync(AO, ["hook", "opencode", event, JSON.stringify({ session_id: session })], { stdio: "ignore", timeout: 2000 });
  } catch {}
};

const keep = (event) => {
  try {
    appendFileSync(FILE, JSON.stringify({ at: Date.now(), ...event }) + "\n", { mode: 0o600 });
  } catch {}
};

export const Ao = async () => ({
  event: async ({ event }) => {
    const { type, properties: p = {} } = event;
    if (type === "session.status") tell("status-" + p.status?.type, p.sessionID);
    if (type === "permission.asked" || type === "permission.replied" || type === "session.error") tell(type, p.sessionID);
    if (type === "message.updated") {
      const { id, role, modelID, cost, tokens, time, error } = p.info ?? {};
      keep({ type, session: p.sessionID, id, role, modelID, cost, tokens, done: Boolean(time?.completed), error: error?.name });
    }
    if (type === "message.part.updated" && p.part?.type === "text" && p.part.time?.end) {
      keep({ type, session: p.sessionID, text: String(p.part.text).slice(0, 4000) });
    }
    if (type === "message.part.updated" && p.part?.type === "tool") {
      keep({ type, session: p.sessionID, call: p.part.callID, tool: p.part.tool, state: p.part.state?.status });
    }
  },
});
