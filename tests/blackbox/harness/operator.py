"""What an operator's program asks of a host's admin plane."""

import time

import grpc

from harness.client import SOON
from harness.protos import lifecycle

Component = lifecycle.Component


def name_of(state):
    """"RUNNING" and so on."""
    return Component.State.Name(state)


class Operator:
    """Lifecycle of one host. A command's fields are given by name: stop("db", cascade=True)."""

    def __init__(self, connection):
        self.stub = lifecycle.stub(connection, "Lifecycle")

    def list(self, **fields):
        """All pages, as one answer."""
        answer = self.list_page(**fields)
        whole = answer
        while answer.next_page_token:
            answer = self.list_page(page_token=answer.next_page_token, **fields)
            whole.components.extend(answer.components)
        whole.next_page_token = ""
        return whole

    def list_page(self, **fields):
        return self.stub.ListComponents(lifecycle.ListComponentsRequest(**fields), timeout=SOON)

    def states(self):
        """The state of each component, by name."""
        return {each.name: name_of(each.state) for each in self.list().components}

    def get(self, name):
        request = lifecycle.GetComponentRequest(name=name)
        return self.stub.GetComponent(request, timeout=SOON).component

    def state(self, name):
        return name_of(self.get(name).state)

    def start(self, name, timeout=SOON, **fields):
        request = lifecycle.StartComponentRequest(name=name, **fields)
        return self.stub.StartComponent(request, timeout=timeout)

    def stop(self, name, timeout=SOON, **fields):
        request = lifecycle.StopComponentRequest(name=name, **fields)
        return self.stub.StopComponent(request, timeout=timeout)

    def restart(self, name, timeout=SOON, **fields):
        request = lifecycle.RestartComponentRequest(name=name, **fields)
        return self.stub.RestartComponent(request, timeout=timeout)

    def pause(self, name):
        request = lifecycle.PauseComponentRequest(name=name)
        return self.stub.PauseComponent(request, timeout=SOON).component

    def resume(self, name):
        request = lifecycle.ResumeComponentRequest(name=name)
        return self.stub.ResumeComponent(request, timeout=SOON).component

    def drain(self, name, timeout=SOON):
        request = lifecycle.DrainComponentRequest(name=name)
        return self.stub.DrainComponent(request, timeout=timeout).component

    def undrain(self, name):
        request = lifecycle.UndrainComponentRequest(name=name)
        return self.stub.UndrainComponent(request, timeout=SOON).component

    def operation(self, request_id):
        request = lifecycle.GetOperationRequest(request_id=request_id)
        return self.stub.GetOperation(request, timeout=SOON).operation

    def watch(self, incarnation="", after_sequence=0, timeout=60):
        return self.stub.WatchComponents(lifecycle.WatchComponentsRequest(
            incarnation=incarnation, after_sequence=after_sequence), timeout=timeout)

    def events_since_start(self, until, what):
        """Every event since the host started, up to the first that `until` says yes to."""
        events = []
        watch = self.watch(incarnation=self.list().host.incarnation, timeout=SOON)
        try:
            for message in watch:
                events.append(message.event)
                if until(message.event):
                    watch.cancel()
                    return events
        except grpc.RpcError as error:
            raise AssertionError(f"expected {what} among the events, got {error} after "
                                 f"{[told(event) for event in events]}") from error
        raise AssertionError(f"expected {what} among the events")

    def wait_for_state(self, name, state, timeout=SOON, generation=None):
        """Waits until the component has that state, in that generation if given."""
        def matches(each, each_state):
            return name_of(each_state) == state and generation in (None, each.generation)

        seen = []
        watch = self.watch(timeout=timeout)
        try:
            for message in watch:
                for each in message.snapshot.components:
                    if each.name == name:
                        seen.append(f"{name_of(each.state)} ({each.reason})")
                        if matches(each, each.state):
                            watch.cancel()
                            return
                if message.HasField("event") and message.event.component == name:
                    seen.append(f"{name_of(message.event.to)} ({message.event.reason})")
                    if matches(message.event, message.event.to):
                        watch.cancel()
                        return
        except grpc.RpcError as error:
            raise AssertionError(f"expected {name} to become {state} within {timeout} s, saw "
                                 f"{seen}: {error.details()}") from error
        raise AssertionError(f"expected {name} to become {state}, saw {seen}")

    def wait_until(self, matches, what, timeout=SOON):
        """For what is no change of a state: asks until the list matches, and returns it."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self.list()
            if matches({each.name: each for each in answer.components}):
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"expected {what} within {timeout} s, got {answer}")


def told(event):
    """An event in a few words: "db RUNNING"."""
    return f"{event.component} {name_of(event.to)}"
