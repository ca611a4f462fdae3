#!/usr/bin/env python3
"""Lets `ao fix` make a real package green that was broken by a table, and proves it from outside.

    drive.py AO TABLE SOURCE PLACE

AO is the binary, TABLE says what is broken and how, SOURCE is the unpacked package, PLACE an empty directory for everything
else. The repository's only commit is the broken one; the answers reach the scripted agents in a file outside of it. The
exit code is 0 only if everything held.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

from world import World, expect

# Seconds on a busy machine with two cores: a check, all of `ao fix`.
CHECK_LIMIT, FIX_LIMIT = 120, 280


class Target(World):
    """A package and its breakages."""

    def __init__(self, ao, table, source, place):
        self.table = json.loads(Path(table).read_text())
        self.breakages, self.check = self.table["breakages"], self.table["check"]
        self.failing = sorted({test for breakage in self.breakages for test in breakage["fails"]})
        # As many agents as there can be failures: the two of one function must begin before one of them has landed.
        super().__init__(self.table["package"], ao, place, {**os.environ, "AO_PLACES": str(len(self.failing))})
        self.source, self.log = Path(source).resolve(), self.place / "prompts.jsonl"

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
        started = time.monotonic()
        passed, out = self.passes(self.place / "sound")
        expect(passed, f"the package is not green as it is published:\n{out[-3000:]}")
        self.say(f"green as published ({time.monotonic() - started:.0f} s)")
        self.plant(self.repository, self.breakages)
        self.import_all("Import with eight faults")
        (self.place / "script.json").write_text(json.dumps(self.script(), indent=1))

    def what_fails(self):
        code, out, err = self.verb("fix", "--check", self.check, "--agent", "scripted", "--dry-run", "--json", limit=CHECK_LIMIT)
        expect(code == 0, f"ao fix --dry-run: exit code {code}: {out}{err}")
        groups = [task["failures"] for task in json.loads(out)["tasks"]]
        found = sorted(name for group in groups for name in group)
        expect(found == self.failing, f"these fail:\n  {found}\nand these should:\n  {self.failing}")
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
        self.show(run)
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

    def steps(self):
        self.prepare()
        self.fix(self.what_fails())
        self.prove()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    target = Target(*sys.argv[1:])
    target.perform(target.steps)
