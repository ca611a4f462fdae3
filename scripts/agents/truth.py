"""The truth about a recorded agent, from what its model did and from the keys that were pressed; `ao` is not asked.

A truth is a list of {t, state}, seconds since the recording began, each until the next: the form of crates/testkit/fixtures.
Between what is known lies `unjudged`: from the last byte of an answer that calls a tool until its question is drawn, and
before a prompt reached the model.
"""

# Enter is pressed so long before the prompt reaches the model, at most.
SENT_BEFORE = 3.0


def turns(marks, notes):
    """Merges what was pressed and seen (`marks`: [{t, state}], by time) with what the model noted."""
    asides = {note["n"] for note in notes if note["what"] == "aside"}
    notes = [note for note in notes if note.get("n") not in asides]
    prompts = [note["t"] for note in notes if note["what"] == "prompt"]
    ends = [(note["t"], "error" if note["what"] == "error" else "idle") for note in notes if note["what"] in ("end", "error")]
    states = []
    known = sorted(marks + [{"t": t, "state": "prompt"} for t in prompts], key=lambda mark: mark["t"])
    for n, mark in enumerate(known):
        begin, state = mark["t"], mark["state"]
        until = known[n + 1]["t"] if n + 1 < len(known) else float("inf")
        following = known[n + 1]["state"] if n + 1 < len(known) else None
        if state == "prompt":
            states.append((max(begin - SENT_BEFORE, states[-1][0] if states else 0.0), "unjudged"))
        states.append((begin, "working" if state == "prompt" else state))
        if states[-1][1] != "working" or following == "interrupted":
            continue
        over = [end for end in ends if begin < end[0] < until]
        if over:
            at, how = over[-1]
            states.append((at, "unjudged" if following == "permission" else how))
    return states


def truth(began, marks, notes):
    """What goes beside a recording that began then (Unix seconds)."""
    states = [{"t": round(max(0.0, t - began), 3), "state": state} for t, state in turns(marks, notes)]
    return {"states": [{"t": 0.0, "state": "unjudged"}] + states}
