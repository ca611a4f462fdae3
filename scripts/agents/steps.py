#!/usr/bin/env python3
"""One real agent through what `ao` promises of it: ready in a fresh home, a task, leave asked and given, refused, without
being asked, interrupted, errors of its model, stopped and continued, ended.

    steps.py AO STANDIN AGENT PATH PLACE [RECORDINGS]

PATH is the agent's own; PLACE is a directory that is there and empty. The agent's environment is what stands in `HOMES`, its
model is the stand-in on loopback. Every step is printed as `AGENT: step NAME: …`; what the agent cannot do is named as such.
With RECORDINGS the terminals of all launches are kept there. Exit code 0 if all steps held.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from unicodedata import normalize

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fix-targets"))
from truth import truth  # noqa: E402
from world import World, Wrong, expect  # noqa: E402

# Seconds: an agent's start on a busy machine with two cores (the slowest takes 14), a scripted turn, an error that is retried.
START, TURN, RETRIED = 90, 60, 90
# `ao` holds prompts back for five seconds after a person typed.
PERSON_RESTS = 6
KEY = "sk-ant-no-real-key-00000000000000"
ESCAPE, ENTER, DETACH = b"\x1b", b"\r", b"\x1c"


def claude(home, url, trusted):
    answers = {"hasCompletedOnboarding": True, "theme": "dark", "projects": {p: {"hasTrustDialogAccepted": True} for p in trusted},
               "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []}}
    (home / ".claude.json").write_text(json.dumps(answers))
    return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url, "IS_SANDBOX": "1", "CLAUDE_CODE_MAX_RETRIES": "2",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


def codex(home, url, trusted):
    (home / ".codex").mkdir()
    projects = "".join(f'[projects."{p}"]\ntrust_level = "trusted"\n' for p in trusted)
    (home / ".codex/config.toml").write_text(f"""model = "gpt-5.1-codex"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
{projects}""")
    return {"OPENAI_API_KEY": KEY}


def gemini(home, url, _trusted):
    (home / ".gemini").mkdir()
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"enableAutoUpdate": False}}
    (home / ".gemini/settings.json").write_text(json.dumps(settings))
    return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_MODEL": "gemini-2.5-pro"}


def opencode(home, url, _trusted):
    directory = home / ".config/opencode"
    directory.mkdir(parents=True)
    model = {"tool_call": True, "limit": {"context": 100000, "output": 8000}}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": f"{url}/v1", "apiKey": KEY}, "models": {"scripted-1": model}}
    config = {"autoupdate": False, "model": "scripted/scripted-1", "small_model": "scripted/scripted-1", "provider": {"scripted": provider}}
    (directory / "opencode.json").write_text(json.dumps(config))
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1"}


def pi(home, url, _trusted):
    directory = home / ".pi/agent"
    directory.mkdir(parents=True)
    provider = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": KEY,
                "models": [{"id": "scripted-1", "name": "scripted-1", "reasoning": False, "input": ["text"], "contextWindow": 100000,
                            "maxTokens": 8000, "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}]}
    (directory / "models.json").write_text(json.dumps({"providers": {"scripted": provider}}))
    (directory / "settings.json").write_text(json.dumps({"defaultProvider": "scripted", "defaultModel": "scripted-1"}))
    return {"PI_OFFLINE": "1"}


def aider(_home, url, _trusted):
    return {"OPENAI_API_KEY": KEY, "OPENAI_API_BASE": f"{url}/v1", "AIDER_MODEL": "openai/scripted-1", "AIDER_EDIT_FORMAT": "whole",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def qwen(home, url, _trusted):
    (home / ".qwen").mkdir()
    (home / ".qwen/settings.json").write_text(json.dumps({"security": {"auth": {"selectedType": "openai"}}}))
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "scripted-1"}


def copilot(_home, url, _trusted):
    return {"COPILOT_PROVIDER_BASE_URL": f"{url}/v1", "COPILOT_PROVIDER_API_KEY": KEY, "COPILOT_PROVIDER_TYPE": "openai",
            "COPILOT_MODEL": "scripted-1", "COPILOT_OFFLINE": "true"}


def kimicode(home, url, _trusted):
    (home / ".kimi-code").mkdir()
    (home / ".kimi-code/config.toml").write_text(f"""default_model = "scripted"
[providers.scripted]
type = "openai"
base_url = "{url}/v1"
api_key = "{KEY}"
[models.scripted]
provider = "scripted"
model = "scripted-1"
max_context_size = 100000
""")
    return {}


# How a fresh home is filled, and what stands in the environment.
HOMES = {"claude-code": claude, "codex": codex, "gemini": gemini, "opencode": opencode, "pi": pi, "aider": aider, "qwen": qwen,
         "copilot": copilot, "kimicode": kimicode}
# What each shows while its first choice, leave, is selected: Enter is pressed on nothing else.
SELECTED = {"claude-code": r"❯ 1\. Yes", "codex": r"› 1\. Yes, proceed", "gemini": r"● 1\. Allow once",
            "opencode": r"Allow once +Allow always +Reject", "qwen": r"› 1\. Yes, allow once", "copilot": r"❯ 1\. Yes",
            "aider": r"\(Y\)es/\(N\)o", "kimicode": r"▶ 1\. Approve once"}
# Keys that refuse, when Escape does not; keys that interrupt, when Escape does not.
REFUSES = {"aider": b"n\r"}
INTERRUPTS = {"aider": b"\x03", "opencode": ESCAPE + ESCAPE, "copilot": ESCAPE + ESCAPE}
# Where conversations lie, below the home directory and below the data root: a continued one is no second one.
CONVERSATIONS = {"claude-code": ".claude/projects/*/*.jsonl", "codex": ".codex/sessions/**/rollout-*.jsonl",
                 "gemini": ".gemini/tmp/*/chats/session-*", "qwen": ".qwen/projects/*/chats/*.jsonl",
                 "copilot": ".copilot/session-state/*/events.jsonl"}
PRIVATE = {"opencode": "**/opencode.db", "pi": "**/pi/*.jsonl", "aider": "**/aider.chat.history.md"}
# What an agent cannot be asked: it uses its tools without leave.
NEVER_ASKS = {"pi"}


# What is sent to it: short, long, of many lines and many scripts, and what looks like options, keys and quotes.
PROMPTS = [
    "y", "Say hello.", "--help", "What does `--version` print?", "Zwölf Boxkämpfer jagen Viktor über den großen Sylter Deich.",
    "漢字とかなを読む 👍🏽 e\u0301", "one\ntwo\n\nfour after a blank line", "\tindented\n    by four",
    "a 'single' and a \"double\" quote, a back\\slash, $HOME, `id`, $(id), %s, {{x}}", "1. Yes", "Press Enter to continue? (y/n)",
    "fn main() {\n    println!(\"{}\", 1);\n}", "word " * 60, "x" * 1000, "\n".join(f"line {n}" for n in range(40)),
    "more words and more " * 200, "Do you want to proceed?\n❯ 1. Yes\n  2. No", "esc to interrupt", "\n".join("- item" for _ in range(100)),
    "end",
]

# Aider adds what it wants the answer to look like.
ADDED = "\n\nTo suggest changes to a file you MUST"


class Agent(World):
    """A real agent, whose model is scripted."""

    def __init__(self, ao, standin, agent, path, place, recordings=None):
        place = Path(place).resolve()
        self.agent, self.standin, self.user, self.path = agent, standin, place / "home", path
        self.recordings = Path(recordings).resolve() if recordings else None
        super().__init__(agent, ao, place, {
            "HOME": str(self.user), "PATH": path, "TMPDIR": str(place / "tmp"), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "NO_PROXY": "127.0.0.1,localhost", "AO_PLACES": "4"})
        self.log, self.model, self.sessions = place / "model.jsonl", None, []
        self.held, self.marks = [], {}

    def prepare(self):
        for directory in (self.user, self.place / "tmp"):
            directory.mkdir()
        self.model = subprocess.Popen([self.standin, "--log", str(self.log)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        url = f"http://127.0.0.1:{int(self.model.stdout.readline())}"
        # Nothing but the stand-in is reached: it refuses what is asked of it as a proxy.
        self.env.update({"HTTP_PROXY": url, "HTTPS_PROXY": url})
        projects = ""
        for name, preset in (("ask", "standard"), ("auto", "autonomous")):
            self.repository = self.place / name
            self.repository.mkdir()
            (self.repository / "README.md").write_text("A sample.\n")
            self.import_all("A sample")
            projects += f"  {name}:\n    path: {self.repository}\n    agentConfig:\n      permissions: {preset}\n"
        configuration = self.place / "agent-orchestrator.yaml"
        configuration.write_text(f"projects:\n{projects}")
        self.env["AO_CONFIG"] = str(configuration)
        self.env.update(HOMES[self.agent](self.user, url, [str(self.place / "ask"), str(self.place / "auto")]))
        for name in ("ask", "auto"):
            self.repository = self.place / name
            code, out, err = self.verb("start", limit=START)
            expect(code == 0, f"ao start: {out}{err}")

    def ao_json(self, *arguments, limit=30):
        code, out, err = self.verb("--json", *arguments, limit=limit)
        expect(code == 0, f"ao {' '.join(arguments)}: exit code {code}: {out}{err}")
        return json.loads(out) if out.strip() else None

    def step(self, name, text):
        self.held.append(name)
        self.say(f"step {name}: {text}")

    def new(self, project, *more):
        self.repository = self.place / project
        made = self.ao_json("new", "--project", project, "--agent", self.agent, *more, limit=START)
        self.sessions.append(made["id"])
        return made["id"]

    def until(self, session, wanted, limit, what):
        """Waits for an activity; answers with the seconds it took."""
        started, seen = time.monotonic(), None
        while time.monotonic() - started < limit:
            seen = self.told(session)
            if wanted(seen):
                return time.monotonic() - started
            time.sleep(0.1)
        raise Wrong(f"{what}: after {limit} s {session} is {seen}; its screen:\n{self.screen(session)}")

    def told(self, session):
        return json.dumps(self.ao_json("status", session).get("activity"))

    def screen(self, session):
        code, out, err = self.verb("logs", session, "--lines", "60")
        return out if code == 0 else err

    def mark(self, session, state):
        """From now on this is true of the agent: what was pressed, or what the screen shows."""
        self.marks.setdefault(session, []).append({"t": time.time(), "state": state})

    def press(self, session, keys, means=None):
        """As a person who attaches, presses keys and leaves."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.repository)
            os.execve(self.ao, [str(self.ao), "attach", session], {**self.env, "TERM": "xterm-256color"})
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.drain(terminal, 1.5)
        for n, key in enumerate(keys):
            if n == 0 and means:
                self.mark(session, means)
            os.write(terminal, key)
            self.drain(terminal, 0.3)
        os.write(terminal, DETACH)
        self.drain(terminal, 5, until_end=True)
        os.close(terminal)
        os.waitpid(child, 0)

    @staticmethod
    def drain(terminal, seconds, until_end=False):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([terminal], [], [], left)[0]:
                try:
                    if not os.read(terminal, 65536):
                        return
                except OSError:
                    return

    def send(self, session, text):
        code, out, err = self.verb("send", session, "--wait", "--timeout", f"{START}s", "--", text, limit=START + 10)
        expect(code == 0, f"ao send: exit code {code}: {out}{err}; its screen:\n{self.screen(session)}")

    def worktree(self, session):
        return Path(self.ao_json("status", session)["workspacePath"])

    def writes(self, tree, name):
        """What makes the agent ask before it writes: Codex asks only for what its sandbox does not let it do."""
        return f"run=touch {tree}/{name};escalate" if self.agent == "codex" else f"write={tree}/{name}"

    def conversations(self):
        if self.agent == "gemini":
            # A file per start, each named by the conversation's id.
            return sorted({p.stem[-8:] for p in self.user.glob(CONVERSATIONS["gemini"])})
        if self.agent in CONVERSATIONS:
            return sorted(str(p) for p in self.user.glob(CONVERSATIONS[self.agent]))
        return sorted(str(p) for p in self.home.glob(PRIVATE.get(self.agent, "**/none")))

    idle = staticmethod(lambda seen: re.search('"activity": "(idle|ready|interrupted)"', seen))
    asks = staticmethod(lambda seen: '"activity": "needs_input"' in seen)
    fails = staticmethod(lambda seen: '"activity": "error"' in seen)
    works = staticmethod(lambda seen: re.search('"activity": "(working|retrying)"', seen))

    def steps(self):
        self.prepare()
        started = time.monotonic()
        one = self.new("ask", "--no-prompt")
        self.until(one, self.idle, START, "ready")
        self.step("ready", f"fresh home to a free composer in {time.monotonic() - started:.1f} s")
        self.permission(one)
        if self.agent not in NEVER_ASKS:
            self.refusal(one)
        self.interrupt(one)
        self.errors(one)
        self.deliver(one)
        self.resume(one)
        self.stop(one)
        self.stop(self.autonomous())
        self.keep()
        self.step("exit", "ended, nothing left")
        self.say(f"proven = {json.dumps(self.held)}")

    def permission(self, session):
        tree = self.worktree(session)
        self.send(session, f"Please write a file [[{self.writes(tree, 'hello.txt')};delay=1]]")
        if self.agent in NEVER_ASKS:
            self.until(session, self.idle, TURN, "task")
            expect((tree / "hello.txt").is_file(), "the file was not written")
            self.step("task", "a file written; it never asks for leave")
            return
        took = self.until(session, self.asks, TURN, "permission")
        expect(not (tree / "hello.txt").exists(), "the file was written before leave was given")
        # Hooks tell of the question before it is drawn; without the row nothing is pressed.
        self.allow(session, TURN)
        expect((tree / "hello.txt").is_file(), "the file was not written")
        self.step("permission", f"asked for after {took:.1f} s, given by the row that was selected")
        self.step("task", "a file written")

    def allow(self, session, limit):
        """Gives leave as often as it is asked for, until the turn is over."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            seen = self.told(session)
            if self.idle(seen):
                return
            if self.asks(seen) and re.search(SELECTED[self.agent], self.screen(session)):
                self.mark(session, "permission")
                self.press(session, [b"y\r" if self.agent == "aider" else ENTER], "working")
                time.sleep(1)
            time.sleep(0.2)
        raise Wrong(f"not at rest after {limit} s: {self.told(session)}; its screen:\n{self.screen(session)}")

    def drawn(self, session):
        """Waits for the row that gives leave: hooks tell of the question before it is there."""
        until = time.monotonic() + TURN
        while not re.search(SELECTED[self.agent], self.screen(session)):
            expect(time.monotonic() < until, f"leave is not what is selected:\n{self.screen(session)}")
            time.sleep(0.1)

    def refusal(self, session):
        tree = self.worktree(session)
        time.sleep(PERSON_RESTS)
        self.send(session, f"Please write another file [[{self.writes(tree, 'refused.txt')};delay=1]]")
        self.until(session, self.asks, TURN, "refusal")
        self.drawn(session)
        self.mark(session, "permission")
        self.press(session, [REFUSES.get(self.agent, ESCAPE)], "interrupted")
        self.until(session, self.idle, TURN, "refusal")
        expect(not (tree / "refused.txt").exists(), "the file was written although leave was refused")
        self.step("refusal", "refused by hand; nothing was written, and it is at rest")

    def interrupt(self, session):
        time.sleep(PERSON_RESTS)
        self.send(session, "Think long [[delay=120]]")
        self.until(session, self.works, TURN, "interrupt")
        time.sleep(2)
        keys = INTERRUPTS.get(self.agent, ESCAPE)
        expect(self.works(self.told(session)), "the turn was over before it was interrupted")
        self.press(session, [bytes([k]) for k in keys], "interrupted")
        self.until(session, self.idle, TURN, "interrupt")
        # At rest because of the keys: the model was asked once, and its answer never began.
        notes = self.notes()
        asked = [note["n"] for note in notes if note["what"] == "prompt" and "Think long" in note["text"]]
        answered = [note for note in notes if note["what"] in ("first", "end") and asked and note["n"] >= asked[0]]
        expect(len(asked) == 1 and not answered, f"asked {len(asked)} times, and answered: {answered}")
        self.step("interrupt", "at rest after the keys, and the model had not answered")

    def deliver(self, session):
        """Twenty prompts of many shapes, half of them while it works: each arrives once and to the letter."""
        time.sleep(PERSON_RESTS)
        before = len(self.prompts())
        # A row with nothing but its sign looks like a free composer in aider: a turn of half a second is not seen then.
        sent = [text for text in PROMPTS if self.agent != "aider" or "\n\n" not in text]
        if len(sent) < len(PROMPTS):
            self.say(f"left out: {len(PROMPTS) - len(sent)} prompts with an empty line")
        for n, text in enumerate(sent):
            if n % 2:
                self.send(session, f"Wait a little [[delay=2;say={n}]]")
                self.until(session, self.works, TURN, "deliver")
            self.send(session, text)
            self.until(session, self.idle, TURN, "deliver")
        # Claude Code composes letters and accents before it sends them.
        arrived = [normalize("NFC", text.split(ADDED)[0].strip()) for text in self.prompts()[before:] if "Wait a little" not in text]
        wanted = [normalize("NFC", text.strip()) for text in sent]
        wrong = [f"{a[:60]!r} ({len(a)}) for {w[:60]!r} ({len(w)})" for a, w in zip(arrived, wanted) if a != w]
        expect(arrived == wanted, f"{len(arrived)} of {len(wanted)} prompts arrived; wrong: {wrong}")
        self.step("deliver", f"{len(wanted)} prompts of {len(min(wanted, key=len))} to {len(max(wanted, key=len))} characters, each once")

    def prompts(self):
        return [note["text"] for note in self.notes() if note["what"] == "prompt"]

    def errors(self, session):
        time.sleep(PERSON_RESTS)
        self.clear(session)
        self.send(session, "This fails [[error=401;delay=1]]")
        self.until(session, self.fails, RETRIED, "error 401")
        self.step("error 401", "told as an error")
        self.send(session, "This is busy [[error=429;errors=1;delay=1]]")
        self.until(session, self.idle, RETRIED, "error 429")
        refused = [note for note in self.notes() if note["what"] == "error" and note.get("status") == 429]
        expect(len(refused) == 1, f"the model refused {len(refused)} requests")
        self.step("error 429", "one refused request repeated, and the turn done")

    def notes(self):
        """What the stand-in saw and did."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def clear(self, session):
        """An interrupt before the first byte may have put the prompt back into the composer: a person takes it out."""
        if "Think long" in "\n".join(self.screen(session).rstrip().splitlines()[-8:]) and self.agent == "claude-code":
            self.press(session, [b"\x15"] * 3)
            time.sleep(PERSON_RESTS)

    def stop(self, session):
        self.mark(session, "exiting")
        code, out, err = self.verb("stop", session, limit=60)
        expect(code == 0, f"ao stop {session}: {out}{err}")

    def resume(self, session):
        before = self.conversations()
        self.stop(session)
        code, out, err = self.verb("restore", session, limit=START)
        expect(code == 0, f"ao restore: {out}{err}")
        self.until(session, self.idle, START, "resume")
        self.send(session, "Go on [[say=Continued.;delay=1]]")
        self.until(session, self.idle, TURN, "resume")
        after = self.conversations()
        expect(before and before == after, f"conversations before: {before}, after: {after}")
        self.step("resume", "stopped and continued in the same conversation")

    def autonomous(self):
        session = self.new("auto", "--no-prompt")
        self.until(session, self.idle, START, "autonomous")
        tree, started = self.worktree(session), time.monotonic()
        self.send(session, f"Please write a file [[write={tree}/auto.txt;delay=1]]")
        while not (tree / "auto.txt").is_file():
            seen = self.told(session)
            expect(not self.asks(seen), f"it asked: {seen}\n{self.screen(session)}")
            expect(time.monotonic() - started < START + TURN, f"nothing was written: {seen}\n{self.screen(session)}")
            time.sleep(0.2)
        self.until(session, self.idle, TURN, "autonomous")
        self.step("autonomous", "a file written without asking")
        return session

    def keep(self):
        """The terminals of all launches, each with the truth about it."""
        if not self.recordings:
            return
        self.recordings.mkdir(parents=True, exist_ok=True)
        for session in self.sessions:
            for launch in ("1", "2"):
                to = self.recordings / f"{self.agent}-{session}-{launch}.cast"
                code, _, _ = self.verb("export", "--cast", "--launch", launch, "--output", str(to), session)
                if code == 0:
                    self.describe(to, session)

    def describe(self, cast, session):
        header, _, rest = cast.read_text().partition("\n")
        header = json.loads(header)
        header["title"] = f"{self.agent}/{session}"
        cast.write_text(json.dumps(header) + "\n" + rest)
        began = header["x_epoch"]
        ended = began + max((json.loads(line)[0] for line in rest.splitlines()), default=0)
        within = lambda t: began <= t <= ended  # noqa: E731
        # One session works at a time: what the model did within a launch was asked by it.
        notes = [note for note in self.notes() if within(note["t"])]
        marks = [mark for mark in self.marks.get(session, []) if within(mark["t"])]
        cast.with_suffix(".truth.json").write_text(json.dumps(truth(began, marks, notes)) + "\n")

    def take_down(self):
        self.keep()
        clean = super().take_down()
        if self.model:
            self.model.kill()
            self.model.wait()
        return clean


if __name__ == "__main__":
    if len(sys.argv) not in (6, 7) or sys.argv[3] not in HOMES:
        sys.exit(__doc__)
    agent = Agent(*sys.argv[1:])
    agent.perform(agent.steps)
