"""Watches: without a gap however often they are cut, and at one with what is listed."""

import concurrent.futures
import itertools

from expectation import Check, Mismatch, expect
from host import AT_ONCE, COMMAND, component_text, eventually
from ledger import Known, Ledger
from protos import RUNNING, STOPPED
from watch import hop, hop_until

RESTARTS = 12


def resumed_watch(subject):
    """Reads a few events, hangs up and goes on, while the component restarts all the time."""
    ledger = Ledger()
    hop(subject.host, ledger, messages=1, seconds=AT_ONCE)  # the snapshot
    first = ledger.sequence
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        restarts = pool.submit(_restart, subject)
        hops = hop_until(subject.host, ledger,
                         lambda: restarts.result() if restarts.done() else None, COMMAND)
    expect(not ledger.violations, "; ".join(ledger.violations))

    subject.follower.catch_up(ledger.sequence)
    uncut = [event for event in subject.follower.events
             if first < event.sequence <= ledger.sequence]
    expect(ledger.events == uncut, f"{len(ledger.events)} events, others than an uncut watch had",
           f"the {len(uncut)} events that an uncut watch had")
    return f"{len(uncut)} events over {hops} watches"


def _restart(subject):
    """Where the watch is after many restarts."""
    for _ in range(RESTARTS):
        subject.must_restart()
    return subject.mark()


def other_incarnation(subject):
    call = subject.host.watch("not-an-incarnation-of-this-host", 5, timeout=AT_ONCE)
    try:
        messages = list(itertools.islice(call, 2))
    finally:
        call.cancel()
    kinds = [message.WhichOneof("update") for message in messages]
    came = " then ".join(kinds) or "the end"
    expect(kinds == ["history_lost", "snapshot"], came)
    snapshot = messages[1].snapshot
    incarnation = subject.host.list().host.incarnation
    expect(incarnation and snapshot.incarnation == incarnation, snapshot.incarnation,
           f"the incarnation that ListComponents tells, {incarnation}")
    expect(messages[0].history_lost.oldest_sequence <= snapshot.sequence + 1,
           f"oldest {messages[0].history_lost.oldest_sequence}, snapshot at {snapshot.sequence}",
           "an oldest event that is no newer than the snapshot")
    return came


def legal_transitions(subject):
    subject.follower.catch_up(subject.host.last_sequence())
    violations = subject.follower.violations
    expect(not violations, f"{len(violations)} violations: {'; '.join(violations[:5])}")
    return f"{len(subject.follower.events)} events, all legal"


def watch_agrees_with_list(subject):
    """Compares once the watch has caught up; again where a component moves by itself."""
    def listed():
        return {each.name: Known(each.state, each.generation)
                for each in subject.host.components().values()}

    def agree():
        subject.follower.catch_up(subject.host.last_sequence())
        return subject.follower.components == listed()

    if not eventually(agree):
        raise Mismatch(_text(subject.follower.components), _text(listed()))
    return _text(listed())


def _text(components):
    return ", ".join(f"{name} {known}" for name, known in sorted(components.items()))


def listed_as_it_is(subject):
    component = subject.get()
    for filters, wanted in (({}, True), ({"states": [RUNNING]}, True),
                            ({"states": [STOPPED]}, False), ({"types": [component.type]}, True),
                            ({"types": ["no-such-type"]}, False)):
        listed = {each.name: each for each in subject.host.list(**filters).components}
        expect((subject.name in listed) == wanted, f"{', '.join(listed) or 'none'} with {filters}",
               f"{subject.name}{'' if wanted else ' not'} listed with {filters}")
        if wanted:
            expect(component_text(listed[subject.name]) == component_text(component),
                   component_text(listed[subject.name]), component_text(component))
    return component_text(component)


def pages_are_the_list(subject):
    """One at a time, they are all, in the same order."""
    whole = [each.name for each in subject.host.list().components]
    names = []
    page = subject.host.list_page(page_size=1)
    while True:
        expect(len(page.components) <= 1, f"{len(page.components)} components with page_size 1")
        names += [each.name for each in page.components]
        if not page.next_page_token or len(names) > len(whole):
            break
        page = subject.host.list_page(page_size=1, page_token=page.next_page_token)
    expect(names == whole, ", ".join(names), ", ".join(whole))
    return f"{len(names)} pages"


CHECKS = (
    Check("listed-as-it-is", "as GetComponent tells it, where the filters let it through",
          listed_as_it_is),
    Check("watch-resumed", "no gap, and the events of an uncut watch", resumed_watch),
)

# Of the host, after the checks of its components.
HOST_CHECKS = (
    Check("pages-are-the-list", "with page_size 1, every component once, in the list's order",
          pages_are_the_list),
    Check("watch-of-another-incarnation", "history_lost then snapshot", other_incarnation),
    Check("legal-transitions", "every event of this run a legal change, in order, without a gap",
          legal_transitions),
    Check("watch-agrees-with-list", "the same states from the watch and from ListComponents",
          watch_agrees_with_list),
)
