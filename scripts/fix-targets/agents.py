#!/usr/bin/env python3
"""Lets `ao fix` make a small crate green with the real command line of an agent, whose model is scripted and on loopback.

    agents.py AO AGENT PATH PLACE

AGENT is claude-code or codex, PATH holds its program, cargo and git, PLACE is an empty directory for everything else. The
agent has an environment of its own: a HOME without a past, a key that is none, and proxies that lead to the stand-in, which
refuses to go anywhere. What it asks at its first start is answered in its own files beforehand. Exit code 0 if all held.
"""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

from world import World, expect

# Seconds on a busy machine with two cores: all of `ao fix`, a check.
FIX_LIMIT, CHECK_LIMIT = 150, 90

CHECK = "cargo test --offline"
KEY = "sk-ant-no-real-key-00000000000000"

FILES = {
    "Cargo.toml": '[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "sample"\nversion = "0.1.0"\n',
    ".gitignore": "/target\n",
    "src/lib.rs": "//! Two faults.\n\npub mod cents;\npub mod words;\n",
    "src/cents.rs": """/// An amount of cents in words.
pub fn written(cents: u32) -> String {
    format!("{}.{}", cents / 100, cents % 100)
}

#[test]
fn few_cents_have_two_digits() {
    assert_eq!(written(1205), "12.05");
}
""",
    "src/words.rs": """/// How many words a text has.
pub fn count(text: &str) -> usize {
    text.split(' ').count()
}

#[test]
fn more_blanks_make_no_words() {
    assert_eq!(count("two  words"), 2);
}
""",
}


def cents(form):
    return f'    format!("{form}", cents / 100, cents % 100)'


# The first answer about cents is not yet right: the gate must tell the agent so, in the conversation that it is in.
ANSWERS = [
    {"when": ["does not pass with your change yet", "few_cents_have_two_digits"], "say": "Zeros, of course.",
     "edits": [{"file": "src/cents.rs", "find": cents("{}.{:2}"), "replace": cents("{}.{:02}")}]},
    {"when": ["Fix this failure", "few_cents_have_two_digits"], "say": "Cents have two digits now.",
     "edits": [{"file": "src/cents.rs", "find": cents("{}.{}"), "replace": cents("{}.{:2}")}]},
    {"when": ["Fix this failure", "more_blanks_make_no_words"], "say": "Blanks make no words any more.",
     "edits": [{"file": "src/words.rs", "find": "    text.split(' ').count()", "replace": "    text.split_whitespace().count()"}]},
]

# What must have told ao that the agent is at rest after its last turn.
SIGNAL = {"claude-code": ("hook", "hook Stop"), "codex": ("osc", "OSC 7501")}


class Agent(World):
    """A real agent."""

    def __init__(self, ao, agent, path, place):
        place = Path(place).resolve()
        self.agent, self.user = agent, place / "home"
        # Nothing is inherited: what the agent finds is what stands here.
        super().__init__(agent, ao, place, {
            "HOME": str(self.user), "PATH": path, "TMPDIR": str(place / "tmp"), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "NO_PROXY": "127.0.0.1,localhost",
            "ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY,
        })
        self.log, self.model = place / "model.jsonl", None

    def start_model(self):
        answers = self.place / "answers.json"
        answers.write_text(json.dumps(ANSWERS))
        program = Path(__file__).with_name("model.py")
        self.model = subprocess.Popen([sys.executable, str(program), str(answers), str(self.log)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        url = f"http://127.0.0.1:{int(self.model.stdout.readline())}"
        self.env.update({"ANTHROPIC_BASE_URL": url, "HTTP_PROXY": url, "HTTPS_PROXY": url})
        return url

    def prepare(self):
        for name, text in FILES.items():
            file = self.repository / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for directory in (self.user, self.place / "tmp"):
            directory.mkdir()
        self.import_all("A crate with two faults")
        url = self.start_model()
        getattr(self, "answer_first_start_of_" + self.agent.replace("-", "_"))(url)

    def answer_first_start_of_claude_code(self, _url):
        answers = {
            "hasCompletedOnboarding": True, "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {str(self.repository): {"hasTrustDialogAccepted": True}},
        }
        (self.user / ".claude.json").write_text(json.dumps(answers))

    def answer_first_start_of_codex(self, url):
        (self.user / ".codex").mkdir()
        (self.user / ".codex/config.toml").write_text(f"""model = "gpt-5.1-codex"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1

[projects."{self.repository}"]
trust_level = "trusted"
""")

    def fix(self):
        started = time.monotonic()
        code, out, err = self.verb("fix", "--check", CHECK, "--agent", self.agent, "--json", limit=FIX_LIMIT)
        took = time.monotonic() - started
        expect(code == 0, f"ao fix: exit code {code}:\n{out}\n{err[-4000:]}\nthe model saw:\n{self.seen()[-3000:]}")
        run = json.loads(out)
        self.show(run)
        expect(run["outcome"] == "green" and all(task["state"] == "landed" for task in run["tasks"]), "not everything landed")
        expect(sorted(task["attempts"] for task in run["tasks"]) == [1, 2], "the wrong answer was not the only one tried again")
        self.say(f"ao fix: exit code 0 after {took:.0f} s")
        return [task["session"] for task in run["tasks"]]

    def seen(self):
        return self.log.read_text() if self.log.exists() else ""

    def prove(self, sessions):
        lines = [json.loads(line) for line in self.seen().splitlines()]
        reached = sorted(hashlib.sha256(line["text"].encode()).hexdigest() for line in lines if line["what"] == "prompt")
        typed = []
        for session in sessions:
            code, out, err = self.verb("explain", session, "--json")
            expect(code == 0, f"ao explain {session}: {err}")
            told = json.loads(out)
            typed += [delivery["sha256"] for delivery in told["deliveries"]]
            expect(all(delivery["state"] == "delivered" for delivery in told["deliveries"]), f"not every prompt of {session} arrived")
            source, words = SIGNAL[self.agent]
            signals = [e for e in told["evidence"] if e["source"] == source and e["why"].startswith(words)]
            expect(signals, f"{session} has no evidence by {source}: {told['evidence']}")
        expect(len(typed) == 3 and sorted(typed) == reached, f"typed: {sorted(typed)}\nreached the model: {reached}")
        self.say(f"{len(reached)} prompts reached the model, each exactly once and to the letter; {SIGNAL[self.agent][0]} told the ends of turns")
        refused = sorted({line["target"] for line in lines if line["what"] == "refused"})
        if refused:
            self.say(f"refused to leave the machine: {', '.join(refused)}")
        self.git(self.place, "clone", "--quiet", "--branch", "main", str(self.repository), str(self.place / "clone"))
        code, out, err = self.run(["sh", "-c", CHECK], self.place / "clone", CHECK_LIMIT)
        expect(code == 0, f"main is not green in a fresh clone:\n{out}{err}")
        self.say("main is green in a fresh clone")

    def steps(self):
        self.prepare()
        self.prove(self.fix())

    def take_down(self):
        clean = super().take_down()
        if self.model:
            self.model.kill()
            self.model.wait()
        return clean


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[2] not in SIGNAL:
        sys.exit(__doc__)
    agent = Agent(*sys.argv[1:])
    agent.perform(agent.steps)
