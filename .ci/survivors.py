"""Judges a run of cargo-mutants: how many were caught, and whether each survivor is explained.

usage: survivors.py SURVIVORS.TXT [--partly] OUTCOMES.JSON…

A survivor is named by its file, its change and the line of code that it is in, so that code may
move without the list being touched. `--partly` is for a run over some of the mutants: then a
listed one that did not show itself is no fault.
"""

import collections
import json
import pathlib
import sys

LEAST_PERCENT = 95


def name_of(mutant):
    """`src/edit/line.rs: replace < with > in look`, and the line of code."""
    place, _, change = mutant["name"].partition(": ")
    file = place.split(":")[0]
    start = mutant["span"]["start"]["line"]
    code = pathlib.Path(file).read_text(encoding="utf-8").splitlines()[start - 1].strip()
    return f"{file}: {change}", code


def listed(path):
    """The names in the list of survivors; each needs a line of code and a reason."""
    names = collections.Counter()
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        if len(lines) < 3 or not lines[1].startswith("| "):
            sys.exit(f"{path}: not a name, a line of code and a reason:\n{block}")
        names[(lines[0], lines[1][2:])] += 1
    return names


def main():
    partly = "--partly" in sys.argv
    explained = listed(pathlib.Path(sys.argv[1]))
    files = [pathlib.Path(name) for name in sys.argv[2:] if name != "--partly"]
    # A job that had nothing to do leaves none behind.
    texts = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    outcomes = [outcome for text in texts for outcome in json.loads(text)["outcomes"]]
    kinds = collections.defaultdict(list)
    for outcome in outcomes:
        if outcome["scenario"] == "Baseline":
            continue
        kinds[outcome["summary"]].append(outcome["scenario"]["Mutant"])
    count = {kind: len(mutants) for kind, mutants in kinds.items()}
    missed = collections.Counter(map(name_of, kinds["MissedMutant"]))
    # One that makes the tests run without an end is noticed as well.
    caught = count.get("CaughtMutant", 0) + count.get("Timeout", 0)
    viable = caught + missed.total()
    percent = 100 * caught / viable if viable else 100
    print(
        f"{viable + count.get('Unviable', 0)} mutants: {count.get('CaughtMutant', 0)} caught, "
        f"{count.get('Timeout', 0)} timed out, {missed.total()} missed, "
        f"{count.get('Unviable', 0)} do not compile; {percent:.1f} % of the viable are caught"
    )
    faults = [f"missed, without an explanation: {m}\n    {c}" for m, c in missed - explained]
    if not partly:
        faults += [f"explained, but caught or gone: {m}\n    {c}" for m, c in explained - missed]
    if percent < LEAST_PERCENT and not partly:
        faults.append(f"less than {LEAST_PERCENT} % are caught")
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
