"""What Config promises, of whatever section a component has: read, compared, refused, watched.

The kit does not know the section's type, so it changes nothing; what it sends is what it was given, or
wrong.
"""

import grpc

from expectation import Check, Mismatch, Skip, expect, expect_code, expect_ok
from host import AT_ONCE
from protos import config
from subject import new_request_id


def _section(subject):
    """(what GetConfig answers of the component, a change that changes nothing)."""
    answer = subject.host.ask_config("GetConfig", name=subject.name)
    if answer.code is grpc.StatusCode.UNIMPLEMENTED:
        raise Skip("the host has no Config")
    if answer.code is grpc.StatusCode.FAILED_PRECONDITION:
        raise Skip("it takes no section")
    found = expect_ok(answer, "GetConfig")
    change = config.Change(name=subject.name)
    change.config.CopyFrom(found.section.config)
    return found, change


def section_is_told(subject):
    found, _ = _section(subject)
    expect(found.section.name == subject.name, found.section.name, subject.name)
    expect(found.section.config.type_url != "", "no type", "the section's type")
    expect(found.section.revision <= found.latest_revision, found.section.revision,
           f"no later revision than {found.latest_revision}")
    return f"{found.section.config.type_url}, revision {found.section.revision}"


def unchanged_is_no_revision(subject):
    found, change = _section(subject)
    before, mark = subject.get(), subject.mark()
    same = expect_ok(subject.host.ask_config("DiffConfig", changes=[change]), "DiffConfig")
    expect(not same.changes, f"{len(same.changes)} changes", "no change of the section to itself")
    expect_ok(subject.host.ask_config("ValidateConfig", changes=[change]), "ValidateConfig")
    made = expect_ok(subject.host.ask_config("UpdateConfig", changes=[change],
                                             expected_revision=found.latest_revision),
                     "UpdateConfig")
    expect(made.revision == found.latest_revision and not made.changes, f"revision {made.revision}",
           f"revision {found.latest_revision} still")
    subject.expect_unchanged(before, mark, "an update to what is so already")
    return f"revision {made.revision}"


def wrong_is_refused(subject):
    found, change = _section(subject)
    before, mark = subject.get(), subject.mark()
    wrong = config.Change(name=subject.name)
    wrong.config.Pack(config.WatchConfigRequest())
    missing = config.Change(name=subject.name)
    masked = config.Change(name=subject.name)
    masked.CopyFrom(change)
    masked.mask.paths.append("no.such.field")
    for changes in ([wrong], [missing], [masked], [change, change], []):
        for rpc in ("ValidateConfig", "UpdateConfig"):
            answer = expect_code(subject.host.ask_config(rpc, changes=changes),
                                 grpc.StatusCode.INVALID_ARGUMENT, f"{rpc} of what is wrong")
            if changes:
                expect(subject.name in answer.details, answer, f"a text that names {subject.name}")
    _expect_latest(subject, found)
    subject.expect_unchanged(before, mark, "what was refused")
    return answer


def unknown_name_is_refused(subject):
    _section(subject)
    answer = expect_code(subject.host.ask_config("GetConfig", name="no-such-component"),
                         grpc.StatusCode.NOT_FOUND, "GetConfig of no component")
    expect(subject.name in answer.details, answer, "the names that there are")
    return answer


def expected_revision_is_kept_to(subject):
    found, change = _section(subject)
    other = found.latest_revision + 1
    answer = expect_code(subject.host.ask_config("UpdateConfig", changes=[change],
                                                 expected_revision=other),
                         grpc.StatusCode.ABORTED, f"UpdateConfig expecting revision {other}")
    expect(str(found.latest_revision) in answer.details, answer,
           f"the latest, {found.latest_revision}")
    _expect_latest(subject, found)
    return answer


def refusal_is_watched(subject):
    found, change = _section(subject)
    watch = subject.host.watch_config()
    try:
        first = next(watch)
        expect(first.WhichOneof("event") == "current" and
               first.current.number == found.latest_revision, first,
               f"revision {found.latest_revision} first")
        request_id = new_request_id()
        subject.host.ask_config("UpdateConfig", changes=[change], request_id=request_id,
                                expected_revision=found.latest_revision + 1)
        told = next(watch)
    except (StopIteration, grpc.RpcError) as ended:
        raise Mismatch(f"the watch ended: {ended}", "what was refused") from None
    finally:
        watch.cancel()
    expect(told.refused.request_id == request_id and subject.name in told.refused.names, told,
           f"the refusal of {request_id}")
    return told.refused.reason


def host_is_told(subject):
    found, _ = _section(subject)
    whole = expect_ok(subject.host.ask_config("GetConfig"), "GetConfig of the host")
    expect(whole.section.config.type_url.endswith("/mainspring.host.v1.HostConfig"),
           whole.section.config.type_url, "a HostConfig")
    change = config.Change(config=whole.section.config)
    answer = subject.host.ask_config("DiffConfig", changes=[change])
    if answer.code is grpc.StatusCode.FAILED_PRECONDITION:
        raise Skip("its own configuration is the program's")
    same = expect_ok(answer, "DiffConfig")
    expect(not same.changes, same.changes, "no change of the host to itself")
    change.mask.paths.append("state_dir")
    change.config.Pack(config.WatchConfigRequest())
    for rpc in ("ValidateConfig", "UpdateConfig"):
        answer = expect_code(subject.host.ask_config(rpc, changes=[change]),
                             grpc.StatusCode.INVALID_ARGUMENT, f"{rpc} of what is no HostConfig")
    _expect_latest(subject, found)
    return answer


def files_are_told_or_none(subject):
    found, _ = _section(subject)
    answer = subject.host.ask_config("GenerateFiles", name=subject.name)
    if answer.code is grpc.StatusCode.FAILED_PRECONDITION:
        expect(subject.name in answer.details, answer, f"a text that names {subject.name}")
        raise Skip("it has no files")
    sets = expect_ok(answer, "GenerateFiles").sets
    expect(all(each.directory.startswith("/") for each in sets), sets, "a directory each")
    again = expect_ok(subject.host.ask_config("GenerateFiles", name=subject.name), "GenerateFiles")
    expect(again.sets == sets, again.sets, "the same again, for nothing was installed")
    _expect_latest(subject, found)
    return ", ".join(each.directory for each in sets)


def _expect_latest(subject, found):
    now, _ = _section(subject)
    expect(now.latest_revision == found.latest_revision, now.latest_revision,
           f"revision {found.latest_revision} still")
    expect(now.section == found.section, now.section, "the section that it was")


CHECKS = (
    Check("section-is-told", "its type, its text and its revision", section_is_told),
    Check("unchanged-is-no-revision", "accepted, and nothing has changed", unchanged_is_no_revision),
    Check("wrong-is-refused", "INVALID_ARGUMENT, and nothing has changed", wrong_is_refused),
    Check("unknown-name-is-refused", "NOT_FOUND with the names", unknown_name_is_refused),
    Check("expected-revision-is-kept-to", "ABORTED with the latest", expected_revision_is_kept_to),
    Check("host-is-told", "its own configuration, which is no change to itself", host_is_told),
    Check("files-are-told-or-none", "those of its section, and what differs", files_are_told_or_none),
    Check("refusal-is-watched", "the latest revision, then what was refused", refusal_is_watched),
)
