"""What the drivers of `ao` share: a data root of its own, programs with a time limit, and an end that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

# Seconds on a busy machine with two cores: a verb that only asks, until what was stopped is gone.
VERB_LIMIT, LEAVE_LIMIT = 30, 15

IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@localhost", "-c", "commit.gpgsign=false"]


class Wrong(Exception):
    """Something is not as it must be."""


def expect(holds, what):
    if not holds:
        raise Wrong(what)


class World:
    """A place with a repository and a data root. Every process that is started knows the data root by its environment."""

    def __init__(self, name, ao, place, env):
        self.name, self.ao, self.place = name, Path(ao).resolve(), Path(place).resolve()
        self.repository, self.home = self.place / "repo", self.place / "ao"
        self.env = {**env, "AO_HOME": str(self.home), "GIT_TERMINAL_PROMPT": "0", "PYTHONDONTWRITEBYTECODE": "1",
                    "GIT_CONFIG_GLOBAL": str(self.place / "gitconfig")}
        (self.place / "gitconfig").write_text("")

    def say(self, text):
        print(f"{self.name}: {text}", flush=True)

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

    def import_all(self, message):
        """The repository's only commit."""
        self.git(self.repository, "init", "--quiet", "--initial-branch=main")
        self.git(self.repository, "add", "--all")
        self.git(self.repository, *IDENTITY, "commit", "--quiet", f"--message={message}")

    def show(self, run):
        for task in run["tasks"]:
            self.say(f"  {task['state']:8} {task.get('session', '-'):12} {task['attempts']} prompts "
                     f"{task.get('tookMs', 0) / 1000:5.1f} s  {task.get('commit', '')[:10]:10} {task['title'][:60]}")

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
        """Ends sessions and daemon. Whatever is left then is a defect, and is ended too; the answer is whether nothing was."""
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

    def perform(self, steps):
        """Does the steps, takes everything down whatever happens, and ends this process with 1 if something was wrong."""
        # Whoever stops this process stops what it started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        wrong = "it was stopped"
        try:
            steps()
            wrong = None
        except Wrong as error:
            wrong = str(error)
        finally:
            if not self.take_down() and wrong is None:
                wrong = "processes were left behind"
            if wrong is not None:
                self.say(f"FAILED: {wrong}")
                log = self.home / "daemon.log"
                if log.is_file():
                    print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
        if wrong is not None:
            sys.exit(1)
        self.say("passed")
