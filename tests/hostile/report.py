"""What is shown of a trial: a line while it runs, a row of the README's table at the end."""

import math


def counts(phase, kind):
    """`answered/made`, with the codes of those that were not answered."""
    codes = phase.calls.get(kind)
    if codes is None:
        return "none"
    failed = {code: count for code, count in codes.items() if code != "OK"}
    text = f"{codes.get('OK', 0)}/{sum(codes.values())}"
    return text + "".join(f" {short(code)} {count}" for code, count in sorted(failed.items()))


def short(code):
    return "".join(word[0] for word in code.split("_")) if "_" in code else code.lower()


def line(outcome, complaints):
    before, during, after = outcome.before, outcome.during, outcome.after
    sent = ", ".join(f"{value} {key}" for key, value in outcome.sent.items())
    text = (f"{outcome.attack} on {outcome.host}: {before.memory:.0f} MiB, {peak(outcome):.0f} at "
            f"the peak, {after.last_memory:.0f} at the end; descriptors {before.descriptors}, "
            f"{during.descriptors}, {after.last_descriptors}; processor {during.processor:.2f}, "
            f"{after.processor:.2f}; time {counts(during, 'time')}, probe "
            f"{counts(during, 'probe')}, admin {counts(during, 'admin')}; after: "
            f"{counts(after, 'time')}, {counts(after, 'probe')}, {counts(after, 'admin')}; "
            f"recovered in {outcome.recovered:.1f} s; sent {sent}")
    return text + "".join(f"\n  FAILED: {each}" for each in complaints)


def peak(outcome):
    return max(outcome.during.memory, outcome.after.memory)


def again(outcome):
    """When all were served again."""
    if outcome.ended:
        return "ended"
    return "never" if outcome.recovered == math.inf else f"{outcome.recovered:.1f} s"


def row(outcome):
    before, during, after = outcome.before, outcome.during, outcome.after
    cells = (
        outcome.attack if outcome.host == "mainspringd" else "",
        "ours" if outcome.host == "mainspringd" else "plain",
        f"{before.memory:.0f}, {peak(outcome):.0f}, {after.last_memory:.0f}",
        f"{before.descriptors}, {during.descriptors}, {after.last_descriptors}",
        f"{during.processor:.2f}, {after.processor:.2f}",
        counts(during, "time"), counts(during, "probe"), counts(during, "admin"),
        counts(after, "time"), again(outcome))
    return f"| {' | '.join(cells)} |"
