#!/usr/bin/env python3
"""Holds what `ao replay` believes of recordings against the truth beside them, every 100 ms.

    score.py AO DIRECTORY [--bars]

DIRECTORY has AGENT-….cast with AGENT-….truth.json (truth.py). Not counted: half a second after a change, a second where a
question or an interruption has to be drawn, and what is `unjudged`. Prints the mean F1 of the classes, how long an agent that
worked or asked was called idle, and how late questions were seen. With --bars, exit code 1 if a bar is not met: screen 0.90,
never called idle, 95 % of the questions seen within two seconds.
"""

import json
import subprocess
import sys
from pathlib import Path

STEP, SCREEN_BAR, NOTICED_BAR = 0.1, 0.90, 2.0
CLASSES = {"ready": "idle", "idle": "idle", "interrupted": "idle", "working": "working", "retrying": "working",
           "rate_limited": "working", "permission": "asks", "question": "asks", "error": "error"}


def class_of(activity):
    head = activity.split(":")[0]
    return "asks" if head == "needs_input" else CLASSES.get(head, head)


def at(believed, t):
    return next((what for when, what in reversed(believed) if when <= t), "starting")


def score(ao, cast, counts, late):
    """Counts samples of one recording; answers with the seconds in which it was wrongly called idle."""
    agent = json.loads(cast.open().readline())["title"].split("/")[0]
    said = subprocess.run([ao, "replay", str(cast), "--agent", agent, "--signals", "screen", "--json"], capture_output=True, text=True,
                          check=True).stdout
    believed = [(line["t"], line["activity"]) for line in map(json.loads, said.splitlines())]
    states = json.loads(cast.with_suffix(".truth.json").read_text())["states"]
    wrongly = 0.0
    for state, following in zip(states, states[1:]):
        want = CLASSES.get(state["state"])
        if not want:
            continue
        t = state["t"] + (1.0 if want == "asks" or state["state"] == "interrupted" else 0.5)
        wrong = {}
        while t < following["t"]:
            got = class_of(at(believed, t))
            counts[want, got] = counts.get((want, got), 0) + 1
            if got != want:
                wrong[at(believed, t)] = wrong.get(at(believed, t), 0) + 1
                wrongly += STEP if got == "idle" and want in ("working", "asks") else 0
            t += STEP
        if wrong:
            print(f"  {cast.stem} at {state['t']:.1f} s, {state['state']}: {wrong}")
        if want == "asks":
            asked = class_of(at(believed, state["t"])) == "asks"
            seen = [when for when, what in believed if state["t"] < when < following["t"] and class_of(what) == "asks"]
            late.append(0.0 if asked else seen[0] - state["t"] if seen else float("inf"))
    return wrongly


def main(ao, directory, bars):
    counts, late, wrongly = {}, [], 0.0
    casts = sorted(cast for cast in Path(directory).glob("*.cast") if cast.with_suffix(".truth.json").exists())
    if not casts:
        sys.exit(f"no recording with its truth in {directory}")
    for cast in casts:
        wrongly += score(ao, cast, counts, late)
    each = {}
    for name in sorted({want for want, _ in counts}):
        hit = counts.get((name, name), 0)
        wrong = sum(n for (want, got), n in counts.items() if name in (want, got) and want != got)
        each[name] = 2 * hit / (2 * hit + wrong) if hit else 0.0
    mean = sum(each.values()) / len(each)
    noticed = sorted(late)[max(0, -(-len(late) * 95 // 100) - 1)] if late else 0.0
    print(f"score: {len(casts)} recordings, {sum(counts.values())} samples by the screen alone: mean F1 {mean:.3f} "
          f"({', '.join(f'{name} {f1:.3f}' for name, f1 in each.items())}); wrongly idle {wrongly:.1f} s; "
          f"{len(late)} questions seen after at most {noticed:.1f} s (95 %)")
    if bars and (mean < SCREEN_BAR or wrongly > 0 or noticed > NOTICED_BAR):
        sys.exit("score: a bar is not met")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--bars"]):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], len(sys.argv) == 4)
