#!/usr/bin/env python3
"""Runs programs in tmux directly, and as sessions of `ao` seen through `ao attach` in tmux, with the same keys; compares screens.

    drive.py AO STANDIN AGENTS PATH PLACE CASTS [PROGRAM...]

AGENTS is a directory with claude and codex, or one without. PATH holds everything else. PLACE is an empty directory; CASTS gets a
recording of every run: what tmux was sent, and what `ao export` makes of the session. At named moments both screens are taken with
`capture-pane -e` and compared cell by cell, text, colours and attributes (tmux tells no background behind the last character of a row), and so are the cursor, the title and the
mouse and keypad modes. Only what cannot be the same is masked, and the masks stand beside the program. Exit code 0 if nothing differs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

COLS, ROWS = 100, 30
# Seconds until a moment comes; a real agent starts within ten on a busy machine.
LIMIT = 60
# A screen that has not changed for so long is the one that was meant.
STILL = 1.0
KEY = "sk-ant-no-real-key-00000000000000"

FLAGS = ["cursor_x", "cursor_y", "cursor_flag", "pane_title", "mouse_standard_flag", "mouse_button_flag", "mouse_all_flag",
         "mouse_sgr_flag", "keypad_cursor_flag", "keypad_flag"]

TEXT = "\n".join(f"{n:3} {'word ' * (n % 7)}naïve café 世界 e\u0301 ─│┌ {'x' * (n * 3 % 90)}" for n in range(1, 200)) + "\n"
COLOURED = "".join(f"\x1b[{30 + n % 8};{1 if n % 2 else 22}mline {n}\x1b[0m \x1b[4munder\x1b[24m \x1b[7minverse\x1b[m "
                   f"\x1b[38;5;{n % 256}mindexed\x1b[38;2;{n % 256};90;200mrgb\x1b[m\n" for n in range(1, 300))
C_FILE = "#include <stdio.h>\n\n/* says hello */\nint main(void)\n{\n\tprintf(\"hello, %d\\n\", 42);\n\treturn 0;\n}\n"

ANSWERS = [{"when": ["How many words"], "say": "There are **four** words:\n\n- one\n- two\n\n```rust\nfn main() {}\n```", "steps": []}]


class Wrong(Exception):
    """Something did not come."""


def run(argv, env=None, cwd=None, check=True):
    done = subprocess.run(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
    if check and done.returncode:
        raise Wrong(f"{' '.join(map(str, argv))}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Tmux:
    """A server of its own, with one pane."""

    def __init__(self, name, place, env, argv):
        self.base = ["tmux", "-L", f"ao-attach-{os.getpid()}-{name}", "-f", "/dev/null"]
        self.env = env
        command = " ".join("'" + part.replace("'", "'\\''") + "'" for part in argv)
        # ao answers programs that ask for colours with these; tmux, asked the same, must know them too.
        settings = ["set", "-g", "status", "off", ";", "set", "-g", "window-style", "bg=#000000,fg=#e5e5e5", ";",
                    "set", "-g", "escape-time", "0", ";", "set", "-g", "remain-on-exit", "on", ";", "set", "-g", "allow-rename", "off", ";",
                    "set", "-g", "extended-keys", "on", ";"]
        run(self.base + settings + ["new-session", "-d", "-s", "one", "-x", str(COLS), "-y", str(ROWS), command], env, place)

    def ask(self, *words):
        return run([*self.base, *words], self.env)

    def record(self, file):
        recorder = Path(__file__).with_name("record.py")
        self.ask("pipe-pane", "-o", f"exec python3 {recorder} '{file}' {COLS} {ROWS}")

    def screen(self):
        return self.ask("capture-pane", "-p", "-e", "-N").split("\n")[:ROWS]

    def flags(self):
        return self.ask("display-message", "-p", "\t".join(f"#{{{flag}}}" for flag in FLAGS)).rstrip("\n").split("\t")

    def text(self):
        return self.ask("capture-pane", "-p")

    def until(self, words, what):
        end = time.monotonic() + LIMIT
        last, since = None, time.monotonic()
        while True:
            now = (self.text(), self.flags())
            if now != last:
                last, since = now, time.monotonic()
            if re.search(words, now[0], flags=re.M) and time.monotonic() - since > STILL:
                return
            if time.monotonic() > end:
                raise Wrong(f"{what}: {words!r} does not come or nothing stays; the screen is:\n{now[0]}")
            time.sleep(0.05)

    def type(self, keys):
        for key in keys if isinstance(keys, list) else [keys]:
            if key.startswith("<") and key.endswith(">"):
                self.ask("send-keys", key[1:-1])
            else:
                self.ask("send-keys", "-l", key)
            time.sleep(0.05)

    def end(self):
        subprocess.run([*self.base, "kill-server"], capture_output=True, check=False)


# Behind the last character of a row tmux tells no background, though it may have drawn one there.
BEHIND = (" ", None)


def alike(one, two):
    plain = [cell for cell in (one, two) if cell[0] == " " and (not cell[1] or all(key == 48 for key, _ in cell[1]))]
    return one == two or (BEHIND in (one, two) and len(plain) == 2)


def cells(lines):
    """Rows of (character, attributes), of exactly COLS columns; a wide character is followed by an empty one."""
    import unicodedata
    rows, pen = [], {}
    for line in lines + [""] * (ROWS - len(lines)):
        row, at = [], 0
        while at < len(line):
            found = re.match(r"\x1b\[([0-9;:]*)m|\x1b\]8;[^\x1b]*\x1b\\|\x1b.|[\x0e\x0f]", line[at:])
            if found:
                if found.group(1) is not None:
                    apply(pen, found.group(1))
                elif found.group(0) in ("\x0e", "\x0f"):
                    pen["acs"] = found.group(0) == "\x0e"
                at += len(found.group(0))
                continue
            char = line[at]
            at += 1
            if unicodedata.combining(char) or char in "\u200d\ufe0f":
                if row:
                    row[-1] = (row[-1][0] + char, row[-1][1])
                continue
            if pen.get("acs") and "`" <= char <= "~":
                char = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"[ord(char) - ord("`")]
            # Of a blank nobody sees the colour and weight of what is not there.
            unseen = {"acs"} | (set() if char != " " or 7 in pen else {1, 2, 3, 38, 58})
            look = tuple(sorted((key, value) for key, value in pen.items() if key not in unseen))
            row.append((char, look))
            if unicodedata.east_asian_width(char) in "WF":
                row.append(("", look))
        rows.append((row + [BEHIND] * COLS)[:COLS])
    return rows


def apply(pen, text):
    codes = [code.split(":") for code in text.split(";")] if text else [["0"]]
    while codes:
        code, *sub = codes.pop(0)
        code = int(code or 0)
        if code == 0:
            acs = pen.get("acs")
            pen.clear()
            pen["acs"] = acs
        elif code in (38, 48, 58):
            if sub:
                colour = [part for part in sub if part]
            elif codes[0] == ["5"]:
                colour = [codes.pop(0)[0], codes.pop(0)[0]]
            else:
                colour = [codes.pop(0)[0] for _ in range(4)]
            pen[code] = tuple(colour)
        elif code in (39, 49, 59):
            pen.pop(code - 1, None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            pen[38] = code - 30 if code < 40 else code - 82
        elif 40 <= code <= 47 or 100 <= code <= 107:
            pen[48] = code - 40 if code < 50 else code - 92
        elif code == 22:
            pen.pop(1, None), pen.pop(2, None)
        elif code == 4:
            pen[4] = sub[0] if sub else "1"
            if pen[4] == "0":
                del pen[4]
        elif code in (23, 24, 25, 27, 28, 29, 55):
            pen.pop({24: 4, 55: 53}.get(code, code - 20), None)
        else:
            pen[code] = True


def masked(rows, masks):
    """Rows whose masked places are all alike."""
    out = []
    for row in rows:
        text = "".join(char[:1] or " " for char, _ in row)
        row = list(row)
        for mask in masks:
            for found in re.finditer(mask, text):
                for col in range(*found.span()):
                    row[col] = ("▒", ())
        out.append(row)
    return out


def shown(row):
    return "".join(char for char, _ in row).rstrip()


def differences(direct, through):
    found = []
    for number, (one, two) in enumerate(zip(direct, through)):
        col = next((col for col in range(COLS) if not alike(one[col], two[col])), None)
        if col is not None:
            found.append(f"row {number + 1}, column {col + 1}: directly {one[col]}, through ao {two[col]}\n"
                         f"      directly:   {shown(one)!r}\n      through ao: {shown(two)!r}")
    return found


class Bench:
    """Everything that the runs share."""

    def __init__(self, ao, standin, agents, path, place, casts):
        self.ao, self.standin, self.agents = Path(ao).resolve(), standin, Path(agents)
        self.place, self.casts = Path(place).resolve(), Path(casts).resolve()
        self.path = f"{self.agents}:{path}"
        self.env = {"HOME": str(self.place / "nobody"), "PATH": path, "TERM": "xterm-256color", "LANG": "C.UTF-8",
                    "AO_HOME": str(self.place / "ao"), "GIT_CONFIG_GLOBAL": str(self.place / "gitconfig"), "SHELL": "/bin/sh"}
        (self.place / "nobody").mkdir()
        (self.place / "gitconfig").write_text("[user]\nname = somebody\nemail = somebody@localhost\n")
        self.casts.mkdir(parents=True, exist_ok=True)
        self.model = self.url = None

    def start_model(self):
        answers = self.place / "answers.json"
        answers.write_text(json.dumps(ANSWERS))
        self.model = subprocess.Popen([self.standin, "--answers", str(answers), "--log", str(self.place / "model.jsonl")], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.model.stdout.readline())}"

    def repository(self):
        repository = self.place / "repo"
        repository.mkdir()
        (repository / "README").write_text("a repository\n")
        for words in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"], ["commit", "--quiet", "--message=Begin"]):
            run(["git", *words], self.env, repository)

    def take_down(self):
        for words in (["stop", "--all"], ["daemon", "stop"]):
            print(run([self.ao, *words], self.env, self.place / "repo", check=False), end="")
        if self.model:
            self.model.kill()
            self.model.wait()


class Program:
    """A program, how it is prepared, and what is done with it. The same directory and the same fresh HOME for both runs."""

    def __init__(self, bench, name, argv, steps, masks=(), files=None, home=None, env=None):
        self.bench, self.name, self.argv, self.steps, self.masks = bench, name, argv, steps, list(masks)
        self.files, self.home_files, self.extra = files or {}, home or {}, env or {}
        self.work, self.home = bench.place / name / "work", bench.place / name / "home"

    def prepare(self):
        # Who was ended a moment ago may still write.
        while (self.bench.place / self.name).exists():
            shutil.rmtree(self.bench.place / self.name, ignore_errors=True)
        for place, files in ((self.work, self.files), (self.home, self.home_files)):
            place.mkdir(parents=True)
            for file, text in files.items():
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                (place / file).write_text(text)

    def command(self):
        env = {"HOME": self.home, "PATH": self.bench.path, "TERM": "xterm-256color", "LANG": "C.UTF-8", "SHELL": "/bin/sh", **self.extra}
        inner = ["env", "-i", "-C", str(self.work), *(f"{key}={value}" for key, value in env.items()), *self.argv]
        # It starts on a key, when whoever looks is there and the size is theirs.
        return ["sh", "-c", "stty -echo; read -r go; stty echo; clear; exec \"$@\"", "sh", *inner]

    def play(self, tmux, what):
        screens = {}
        tmux.type("<Enter>")
        for step in self.steps:
            if isinstance(step, tuple):
                name, words = step
                tmux.until(words, f"{self.name}, {what}, {name}")
                screens[name] = (cells(tmux.screen()), tmux.flags())
            else:
                tmux.type(step)
        return screens

    def directly(self):
        self.prepare()
        tmux = Tmux(f"{self.name}-a", self.work, self.bench.env, self.command())
        try:
            tmux.record(self.bench.casts / f"{self.name}-direct.cast")
            return self.play(tmux, "directly")
        finally:
            tmux.end()

    def through_ao(self):
        self.prepare()
        bench = self.bench
        made = run([bench.ao, "new", f"Compare {self.name}", "--agent", "shell", "--no-prompt", "--json", "--", *self.command()],
                   bench.env, bench.place / "repo")
        session = json.loads(made)["id"]
        view = ["sh", "-c", "echo before; \"$@\"; echo after $?; exec sleep 1000", "sh", str(bench.ao), "attach", "--no-wheel", session]
        self.until_it_runs(session)
        tmux = Tmux(f"{self.name}-b", self.work, bench.env, view)
        try:
            tmux.record(bench.casts / f"{self.name}-attach.cast")
            self.until_attached(tmux)
            screens = self.play(tmux, "through ao")
            # Some leave by themselves; from the others the person does.
            if self.steps[-1] not in ("q", [":qa!", "<Enter>"]):
                tmux.type("<C-\\>")
            tmux.until("^after 0$", f"{self.name}, leaving")
            left = dict(zip(FLAGS + ["alternate_on"], tmux.flags() + [tmux.ask("display-message", "-p", "#{alternate_on}").strip()]))
            on = [flag for flag, value in left.items() if flag.startswith(("mouse", "keypad", "alternate")) and value not in ("0", "")]
            if on or "before" not in tmux.text() or left["cursor_flag"] != "1":
                raise Wrong(f"{self.name}: after leaving {on} are on, the screen is:\n{tmux.text()}")
            run([bench.ao, "export", "--cast", session, "-o", str(bench.casts / f"{self.name}-session.cast")], bench.env)
            return screens
        finally:
            tmux.end()
            run([bench.ao, "stop", session], bench.env, check=False)

    def until_it_runs(self, session):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if json.loads(run([self.bench.ao, "status", session, "--json"], self.bench.env))["runtimeState"] == "alive":
                return
            time.sleep(0.1)
        raise Wrong(f"{self.name}: session {session} does not start")

    def until_attached(self, tmux):
        end = time.monotonic() + LIMIT
        while tmux.ask("display-message", "-p", "#{alternate_on}").strip() != "1":
            if time.monotonic() > end:
                raise Wrong(f"{self.name}: it is not attached:\n{tmux.text()}")
            time.sleep(0.05)

    def compare(self):
        print(f"attach: {self.name}: directly in tmux, then through ao attach", flush=True)
        direct, through = self.directly(), self.through_ao()
        bad = 0
        for moment, (screen, flags) in direct.items():
            other, other_flags = through[moment]
            found = differences(masked(screen, self.masks), masked(other, self.masks))
            found += [f"{flag}: directly {one!r}, through ao {two!r}" for flag, one, two in zip(FLAGS, flags, other_flags) if one != two]
            print(f"attach: {self.name}: {moment}: {'the same' if not found else f'{len(found)} differences'}", flush=True)
            for line in found:
                print(f"    {line}", flush=True)
            bad += len(found)
        return bad


def programs(bench):
    yield Program(bench, "vim", ["vim", "-n", "-i", "NONE", "-u", "NONE", "hello.c"], [
        [":set nocp nu sw=4 hls is laststatus=2 ruler mouse=a | syntax on", "<Enter>"], ("opened", r"hello\.c"),
        ["/printf", "<Enter>", "V", "j"], ("selected", r"VISUAL LINE"),
        ["<Escape>", "o", "naïve 世界 é ok"], ("typed", r"naïve 世界"),
        ["<Escape>", ":vsplit text", "<Enter>", "50j", "zt"], ("split", r"^ 51  51 "),
        [":%s/word/WORD/g", "<Enter>", "<C-f>"], ("replaced", r"WORD"),
        [":only", "<Enter>", ":set list cursorline", "<Enter>", "gg", "10l"], ("listed", r"\$"),
        [":help", "<Enter>"], ("help", r"help"),
        [":qa!", "<Enter>"],
    ], files={"hello.c": C_FILE, "text": TEXT})
    yield Program(bench, "less", ["less", "-R", "-i", "-M", "colours"], [
        ("opened", r"colours lines 1-"), " ", ("next page", r"line 31"), ["/line 77", "<Enter>"], ("found", r"line 77"),
        "G", ("the end", r"END"), "g", ("the beginning", r"line 1 "), ["<Right>"], ("to the right", r"colours lines"),
        "h", ("help", r"SUMMARY OF LESS COMMANDS"), "q", ("back", r"colours lines"), "q",
    ], files={"colours": COLOURED})
    # The figures of a living machine: everything in the meters, and the numbers of the one process that is listed.
    yield Program(bench, "htop", ["sh", "-c", "sleep 1000 & exec htop --delay=100 --pid=$!"], [
        ("processes", r"sleep 1000"), "<F1>", ("help", r"htop \d"), ["<Escape>"], ("back", r"sleep 1000"),
        ["<F6>"], ("sort by", r"Sort by"), ["<Escape>", "<Escape>"], ("sorted", r"sleep 1000"), "q",
    ], masks=[r"^.*(?:\[.*\]|Tasks:|Load average:|Uptime:).*$", r"^ *\d+ \S+ +.*(?= sleep 1000)", r"\b\d+\b"])
    # The verb that it says it worked by, and its tips, are drawn by lot.
    claude = bench.agents / "claude"
    if claude.exists():
        work = bench.place / "claude" / "work"
        answers = {"hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
                   "projects": {str(work): {"hasTrustDialogAccepted": True}}}
        env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": bench.url, "HTTP_PROXY": bench.url, "HTTPS_PROXY": bench.url,
               "NO_PROXY": "127.0.0.1,localhost", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        yield Program(bench, "claude", ["claude"], [
            ("started", r"❯"), "/", ("commands", r"/\w+ "), ["<Escape>", "<BSpace>"], ("composer", r"❯"),
            "How many words", ("typed", r"How many words"), ["<Enter>"], ("answered", r"fn main"),
            ["<C-o>"], ("transcript", r"transcript"), ["<C-o>"], ("composer again", r"❯"),
        ], masks=[r"✻ .* for .*$", r"Tip: .*$"], files={"README": "four words stand here\n"}, home={".claude.json": json.dumps(answers)}, env=env)
    # Its tips and suggestions are drawn by lot, and a new title shimmers.
    codex = bench.agents / "codex"
    if codex.exists():
        work = bench.place / "codex" / "work"
        config = (f'model = "gpt-5.1-codex"\nmodel_provider = "scripted"\ncheck_for_update_on_startup = false\n\n'
                  f'[model_providers.scripted]\nname = "scripted"\nbase_url = "{bench.url}/v1"\nenv_key = "OPENAI_API_KEY"\n'
                  f'wire_api = "responses"\nrequest_max_retries = 1\nstream_max_retries = 1\n\n[projects."{work}"]\ntrust_level = "trusted"\n')
        env = {"OPENAI_API_KEY": KEY, "HTTP_PROXY": bench.url, "HTTPS_PROXY": bench.url, "NO_PROXY": "127.0.0.1,localhost"}
        yield Program(bench, "codex", ["codex", "--no-daemon"], [
            ("started", r"›"), "/", ("commands", r"/\w+ "), ["<Escape>", "<BSpace>"],
            "How many words", ("typed", r"How many words"), ["<Enter>"], ("answered", r"fn main"),
        ], masks=[r"Tip: .*$", r"^› (?!How).*$", r"scripted title"], files={"README": "four words stand here\n"}, home={".codex/config.toml": config}, env=env)


def main():
    if len(sys.argv) < 7:
        sys.exit(__doc__)
    bench, wanted = Bench(*sys.argv[1:7]), sys.argv[7:]
    bench.start_model()
    bench.repository()
    bad = 0
    try:
        for program in programs(bench):
            if not wanted or program.name in wanted:
                try:
                    bad += program.compare()
                except Wrong as wrong:
                    print(f"attach: {program.name}: {wrong}", flush=True)
                    bad += 1
    finally:
        bench.take_down()
    print(f"attach: recordings are in {bench.casts}")
    if bad:
        sys.exit(f"attach: {bad} differences")
    print("attach: nothing differs")


if __name__ == "__main__":
    main()
