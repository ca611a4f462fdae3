#!/usr/bin/env python3
"""Lets `ao fix` make a real package green that was broken by a table, and proves it from outside.

    drive.py AO TABLE SOURCE PLACE

AO is the binary, TABLE says what is broken and how, SOURCE is the unpacked package, PLACE an empty directory for everything
else. The repository's only commit is the broken one; the answers reach the scripted agents in a file outside of it. The
exit code is 0 only if everything held. Every process that was started is ended, by its id.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# Seconds on a busy machine with two cores: a check, all of `ao fix`, any other verb, until what was stopped is gone.
CHECK_LIMIT, FIX_LIMIT, VERB_LIMIT, LEAVE_LIMIT = 120, 280, 30, 15

IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@localhost", "-c", "commit.gpgsign=false"]


class Wrong(Exception):
    """Something is not as it must be."""


def expect(holds, what):
    if not holds:
        raise Wrong(what)


class Target:
    """A package, its breakages, and where everything of this run lies."""

    def __init__(self, ao, table, source, place):
        self.ao, self.source, self.place = Path(ao).resolve(), Path(source).resolve(), Path(place).resolve()
        self.table = json.loads(Path(table).read_text())
        self.breakages, self.check = self.table["breakages"], self.table["check"]
        self.repository, self.home, self.log = self.place / "repo", self.place / "home", self.place / "prompts.jsonl"
        self.env = {**os.environ, "AO_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", "GIT_TERMINAL_PROMPT": "0"}
        # As many agents as there can be failures: the two of one function must begin before one of them has landed.
        self.env["AO_PLACES"] = str(self.failing_tests())
        self.env["GIT_CONFIG_GLOBAL"] = str(self.place / "gitconfig")

    def failing_tests(self):
        return len({test for breakage in self.breakages for test in breakage["fails"]})

    def say(self, text):
        print(f"{self.table['package']}: {text}", flush=True)

    def run(self, argv, where, limit):
        # In a group of its own, so that a check that hangs is ended with all that it started.
        child = subprocess.Popen(argv, cwd=where, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, err = child.communicate(timeout=limit)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Wrong(f"{' '.join(map(str, argv))} took longer than {limit} s") from None
            raise
        return child.returncode, out, err

    def git(self, where, *arguments):
        code, out, err = self.run(["git", *arguments], where, VERB_LIMIT)
        expect(code == 0, f"git {' '.join(arguments)}: {err.strip()}")
        return out

    def verb(self, *arguments, limit=VERB_LIMIT):
        return self.run([self.ao, *arguments], self.repository, limit)

    def passes(self, where):
        code, out, err = self.run(["sh", "-c", self.check], where, CHECK_LIMIT)
        return code == 0, out + err

    def plant(self, where, breakages):
        for breakage in breakages:
            file = where / breakage["file"]
            text = file.read_text()
            anchor = text.find(breakage["after"])
            at = text.find(breakage["sound"], anchor)
            expect(anchor >= 0 and at >= 0, f"{file.name} does not hold {breakage['sound']!r} after {breakage['after']!r}")
            file.write_text(text[:at] + breakage["broken"] + text[at + len(breakage["sound"]):])
        for breakage in breakages:
            once = (where / breakage["file"]).read_text().count(breakage["broken"])
            expect(once == 1, f"{breakage['broken']!r} stands {once} times in {breakage['file']}: an answer would miss it")

    def script(self):
        """What the agents answer, chosen by the words of a prompt alone."""
        collision = self.table["collision"]
        sound = (self.source / collision["file"]).read_text()
        begin = sound.index(collision["from"])
        end = sound.index(collision["to"], begin + len(collision["from"])) + len(collision["to"])
        steps = [{
            "when": {"all": ["Merge conflict", f"`{collision['file']}`", "git merge main"]},
            "say": "Somebody mended the line beside mine. I merge main and keep both.",
            "git": ["merge --no-edit main"],
            "resolve": [{"file": collision["file"], "from": collision["from"], "to": collision["to"], "replace": sound[begin:end]}],
            "commit": "Merge main, keeping both changes",
        }]
        for breakage in self.breakages:
            edit = {"file": breakage["file"], "find": breakage["broken"], "replace": breakage["sound"]}
            for test in breakage["fails"]:
                # A name in the prompt's list of failures stands alone on its line.
                steps.append({"when": {"all": ["Fix th", f"- {test}\n"]}, "say": breakage["say"], "edits": [edit],
                              "commit": breakage["say"].rstrip(".")})
        return {"steps": steps, "default": {"say": "The script has no answer to this."}}

    def prepare(self):
        for source, copy in ((self.source, self.repository), (self.source, self.place / "sound")):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".cargo-checksum.json", "__pycache__", "*.egg-info"))
            (copy / ".gitignore").write_text("\n".join(self.table["ignore"]) + "\n")
        (self.place / "gitconfig").write_text("")
        started = time.monotonic()
        passed, out = self.passes(self.place / "sound")
        expect(passed, f"the package is not green as it is published:\n{out[-3000:]}")
        self.say(f"green as published ({time.monotonic() - started:.0f} s)")
        self.plant(self.repository, self.breakages)
        self.git(self.repository, "init", "--quiet", "--initial-branch=main")
        self.git(self.repository, "add", "--all")
        self.git(self.repository, *IDENTITY, "commit", "--quiet", "--message=Import with eight faults")
        (self.place / "script.json").write_text(json.dumps(self.script(), indent=1))

    def what_fails(self):
        code, out, err = self.verb("fix", "--check", self.check, "--agent", "scripted", "--dry-run", "--json", limit=CHECK_LIMIT)
        expect(code == 0, f"ao fix --dry-run: exit code {code}: {out}{err}")
        groups = [task["failures"] for task in json.loads(out)["tasks"]]
        found = sorted(name for group in groups for name in group)
        wanted = sorted({test for breakage in self.breakages for test in breakage["fails"]})
        expect(found == wanted, f"these fail:\n  {found}\nand these should:\n  {wanted}")
        for group in groups:
            causes = [n for n, breakage in enumerate(self.breakages) if set(breakage["fails"]) & set(group)]
            expect(len(causes) == 1, f"{group} are one group, and have {len(causes)} causes")
        self.say(f"{len(self.breakages)} breakages, {len(found)} failing tests, {len(groups)} groups")
        return groups

    def fix(self, groups):
        started = time.monotonic()
        code, out, err = self.verb("fix", "--check", self.check, "--agent", "scripted", "--parallel", str(len(groups)), "--json",
                                   "--", "--script", str(self.place / "script.json"), "--log", str(self.log), limit=FIX_LIMIT)
        took = time.monotonic() - started
        expect(code == 0, f"ao fix: exit code {code}:\n{out}\n{err[-4000:]}")
        run = json.loads(out)
        for task in run["tasks"]:
            self.say(f"  {task['state']:8} {task.get('session', '-'):12} {task['attempts']} prompts "
                     f"{task.get('tookMs', 0) / 1000:5.1f} s  {task.get('commit', '')[:10]:10} {task['title'][:60]}")
        expect(run["outcome"] == "green", f"the run ended {run['outcome']}")
        expect(all(task["state"] == "landed" for task in run["tasks"]), "not every task landed")
        expect(run["rounds"] == 2, f"it took {run['rounds']} rounds of reading the target instead of two")
        self.say(f"ao fix: exit code 0 after {took:.0f} s")

    def prove(self):
        clone = self.place / "clone"
        self.git(self.place, "clone", "--quiet", "--branch", "main", str(self.repository), str(clone))
        for breakage in self.breakages:
            same = (clone / breakage["file"]).read_bytes() == (self.source / breakage["file"]).read_bytes()
            expect(same, f"{breakage['file']} is not what was published")
        passed, out = self.passes(clone)
        expect(passed, f"main is not green in a fresh clone:\n{out[-3000:]}")
        self.say("main is green in a fresh clone, and its files are the published ones")
        prompts = [json.loads(line) for line in self.log.read_text().splitlines()]
        conflicts = [prompt for prompt in prompts if prompt["text"].startswith("Merge conflict")]
        expect(len(conflicts) == 1, f"{len(conflicts)} conflict prompts were read by agents instead of one")
        twice = len(prompts) - len({(prompt["cwd"], prompt["sha256"]) for prompt in prompts})
        expect(twice == 0, f"{twice} prompts were typed twice")
        nothing = [prompt["text"] for prompt in prompts if prompt["step"] is None]
        expect(not nothing, f"a prompt that no answer was written for:\n{nothing[:1]}")
        self.say(f"{len(prompts)} prompts were read from terminals, one of them about the conflict")

    def ours(self):
        """Processes with our data root in their environment."""
        mark = f"AO_HOME={self.home}".encode()
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                environment = (directory / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in environment and int(directory.name) != os.getpid():
                found.append(int(directory.name))
        return found

    def take_down(self):
        """Ends sessions and daemon; whatever is left is a defect, and is ended too."""
        if (self.repository / ".git").is_dir():
            for verb in (("stop", "--all"), ("daemon", "stop")):
                try:
                    self.verb(*verb)
                except Wrong as wrong:
                    self.say(str(wrong))
        until = time.monotonic() + LEAVE_LIMIT
        while (left := self.ours()) and time.monotonic() < until:
            time.sleep(0.2)
        for pid in left:
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                os.kill(pid, signal.SIGKILL)
                self.say(f"left behind: {pid} {line}")
            except OSError:
                pass
        return not left


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    target = Target(*sys.argv[1:])
    wrong, clean = "it was stopped", False
    try:
        target.prepare()
        target.fix(target.what_fails())
        target.prove()
        wrong = None
    except Wrong as error:
        wrong = str(error)
    finally:
        clean = target.take_down()
        if wrong is None and not clean:
            wrong = "processes were left behind"
        if wrong is not None:
            target.say(f"FAILED: {wrong}")
            log = target.home / "daemon.log"
            if log.is_file():
                print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
    if wrong is not None:
        sys.exit(1)
    target.say("passed")


if __name__ == "__main__":
    # Whoever stops this script stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
