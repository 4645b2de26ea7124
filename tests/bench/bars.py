"""Bars: what a ratio has to be, as text such as "c/a p99 <= 0.7"."""
import collections
import re

PROJECT = ("c/a throughput >= 1.15, c/a p99 <= 0.7, c/b throughput >= 0.80, "
           "in process >= 1.8, co_await/Then time <= 1.3, time to compile <= 1.3")

Bar = collections.namedtuple("Bar", "ratio relation limit")

RATIOS = ("c/a throughput", "c/a p99", "c/a cpu", "c/b throughput", "c/b p99", "c/b cpu",
          "in process", "co_await/Then time", "time to compile")


def parse(text):
    """A list of bars. ValueError: not a bar, or not a ratio that is measured."""
    bars = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(.+?)\s*(>=|<=)\s*([0-9.]+)", part)
        if not match or match.group(1) not in RATIOS:
            raise ValueError(f'--bars: "{part}": expected RATIO >= NUMBER or RATIO <= NUMBER, '
                             f"RATIO being one of: {', '.join(RATIOS)}")
        bars.append(Bar(match.group(1), match.group(2), float(match.group(3))))
    return bars


def missed(bars, ratios):
    """One line for each bar that is not met."""
    lines = []
    for bar in bars:
        value = ratios.get(bar.ratio)
        met = value is not None and (
            value >= bar.limit if bar.relation == ">=" else value <= bar.limit)
        if not met:
            shown = "missing" if value is None else f"{value:.3f}"
            lines.append(f"BAR MISSED: {bar.ratio} is {shown}, must be {bar.relation} {bar.limit:g}")
    return lines
