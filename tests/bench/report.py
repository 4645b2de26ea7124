"""What is printed, and how rounds become one figure."""
import math
import statistics

from contestants import KEYS, NAMES

# Figure -> heading, width, format. Latencies and processor times in microseconds.
COLUMNS = {
    "throughput": ("calls/s", 10, ".0f"),
    "p50": ("p50 us", 9, ".0f"),
    "p90": ("p90 us", 9, ".0f"),
    "p99": ("p99 us", 9, ".0f"),
    "p999": ("p99.9 us", 10, ".0f"),
    "server_cpu": ("server us/call", 16, ".2f"),
    "client_cpu": ("client us/call", 16, ".2f"),
}
# What ratios are formed of.
COMPARED = {"throughput": "throughput", "p99": "p99", "cpu": "server_cpu"}


def print_facts(facts):
    for name, value in facts.items():
        print(f"{name + ':':12} {value}")
    if facts["build_type"] not in ("Release", "RelWithDebInfo"):
        print("note: not an optimised build; the figures mean nothing")
    print()


def print_row_head():
    print(f"{'round':6} {'contestant':14}"
          + "".join(f"{heading:>{width}}" for heading, width, _ in COLUMNS.values())
          + f"{'failed':>8}", flush=True)


def print_row(number, key, figures):
    label = "median" if number is None else str(number + 1)
    print(f"{label:6} {key + ' ' + NAMES[key]:14}"
          + "".join(f"{figures[name]:>{width}{form}}"
                    for name, (_, width, form) in COLUMNS.items())
          + f"{figures['failed']:>8}", flush=True)


def summarize(rounds, in_process, coroutine, compiled):
    """Medians a contestant, and the median of the rounds' ratios: a pair that met a slow spell of
    the machine met it together."""
    medians = {key: {name: statistics.median(figures[key][name] for figures in rounds)
                     for name in COLUMNS} for key in KEYS}
    for key in KEYS:
        medians[key]["failed"] = sum(figures[key]["failed"] for figures in rounds)
    paired = {f"c/{base} {what}": [_ratio(figures["c"][name], figures[base][name])
                                   for figures in rounds]
              for base in ("a", "b") for what, name in COMPARED.items()}
    windowed, single = in_process["windows"]
    paired["in process"] = windowed["ratios"]
    paired["in process, one at a time"] = single["ratios"]
    paired["co_await/Then time"] = coroutine["ratios"]
    paired["time to compile"] = compiled["ratios"]
    return {"compiled_medians": {who: statistics.median(compiled[who]) for who in ("ours", "theirs")},
            "medians": medians, "ratios_of_rounds": paired,
            "ratios": {name: statistics.median(values) for name, values in paired.items()},
            "in_process_medians": {
                str(figures["window"]): {who: statistics.median(figures[who])
                                         for who in ("baseline", "mainspring")}
                for figures in (windowed, single)}}


def print_summary(results):
    print()
    print_row_head()
    for key in KEYS:
        print_row(None, key, results["medians"][key])
    print("\nin process, calls/s (median)")
    for window, figures in results["in_process_medians"].items():
        print(f"  {window + ' outstanding':18} by hand {figures['baseline']:>10.0f}"
              f"   mainspring {figures['mainspring']:>10.0f}")
    print("\nto compile what is generated for one service of three rpcs, processor seconds (median)")
    print("  mainspring {ours:.2f}   protoc and gRPC {theirs:.2f}".format(**results["compiled_medians"]))
    print("\nratios, median of the rounds (each round)")
    for name, value in results["ratios"].items():
        each = " ".join(f"{ratio:.3f}" for ratio in results["ratios_of_rounds"][name])
        print(f"  {name:26} {value:.3f}   ({each})")
    print()


def faults(rounds, results):
    """One line for each thing that makes the figures worthless: a failed call, a figure missing."""
    lines = []
    for number, figures in enumerate(rounds):
        for key in KEYS:
            one = figures[key]
            if one["failed"]:
                lines.append(f"CALLS FAILED: round {number + 1} {NAMES[key]}: {one['failed']} "
                             f"({one.get('failure', '')})")
            lines += [f"FIGURE MISSING: round {number + 1} {NAMES[key]} {name}"
                      for name in COLUMNS if not one[name] > 0]
    lines += [f"FIGURE MISSING: {name}" for name, value in results["ratios"].items()
              if not (math.isfinite(value) and value > 0)]
    return lines


def _ratio(ours, theirs):
    return ours / theirs if theirs else 0.0
