"""What a check is about: one component of a host, or the host as a whole."""

import uuid

from expectation import Mismatch, expect, expect_ok
from host import SETTLES, component_text, eventually
from protos import FAILED, RUNNING, STOPPED, state_name

# In the report, the name of the subject that is no component.
HOST = "(host)"


def new_request_id():
    """A request id that no host has seen."""
    return f"conformance-{uuid.uuid4()}"


class Subject:
    """One component. Commands cascade: its hard dependents go with it and come back."""

    def __init__(self, host, follower, name, restarts):
        self.host = host
        self.follower = follower
        self.name = name
        self.restarts = restarts

    def get(self):
        """The component as it is now."""
        return expect_ok(self.host.ask("GetComponent", name=self.name), "GetComponent").component

    def start(self, **fields):
        return self.host.ask("StartComponent", name=self.name, **{"cascade": True, **fields})

    def stop(self, **fields):
        return self.host.ask("StopComponent", name=self.name, **{"cascade": True, **fields})

    def restart(self, **fields):
        return self.host.ask("RestartComponent", name=self.name, **{"cascade": True, **fields})

    def pause(self, **fields):
        return self.host.ask("PauseComponent", name=self.name, **fields)

    def resume(self, **fields):
        return self.host.ask("ResumeComponent", name=self.name, **fields)

    def drain(self, **fields):
        return self.host.ask("DrainComponent", name=self.name, **fields)

    def undrain(self, **fields):
        return self.host.ask("UndrainComponent", name=self.name, **fields)

    def must_start(self):
        return expect_ok(self.start(), "StartComponent").component

    def must_stop(self):
        return expect_ok(self.stop(), "StopComponent").component

    def must_restart(self, **fields):
        return expect_ok(self.restart(**fields), "RestartComponent")

    def bring_up(self):
        """Makes it RUNNING, neither paused nor draining: how every check begins."""
        component = self.get()
        if component.state != RUNNING:
            self.must_start()
        expect_ok(self.resume(), "ResumeComponent")
        component = expect_ok(self.undrain(), "UndrainComponent").component
        expect(component.state == RUNNING, component_text(component), "RUNNING, to begin with")

    def mark(self):
        """Where the watch is now, for `events_since`."""
        return self.host.last_sequence()

    def events_since(self, mark):
        """This component's events that came after a mark, until now."""
        self.follower.catch_up(self.mark())
        return [event for event in self.follower.events
                if event.sequence > mark and event.component == self.name]

    def expect_unchanged(self, before, mark, after_what):
        """Raises Mismatch if the component is not as it was before, or has been otherwise."""
        now = self.get()
        expect(component_text(now) == component_text(before), component_text(now),
               f"{component_text(before)}, unchanged by {after_what}")
        changes = [f"{state_name(getattr(event, 'from'))}->{state_name(event.to)}"
                   for event in self.events_since(mark)]
        expect(not changes, f"events {' '.join(changes)}", f"no event from {after_what}")

    def hard_dependents(self):
        """The names of the components that would stop with it now."""
        components = self.host.components()
        return [each.component for each in self.get().dependents
                if each.hard and components[each.component].state not in (STOPPED, FAILED)]

    def wait_for(self, names, state):
        """Waits until the components of these names are in a state."""
        def reached():
            components = self.host.components()
            return all(components[name].state == state for name in names)

        if not eventually(reached, SETTLES):
            components = self.host.components()
            raise Mismatch(", ".join(component_text(components[name]) for name in names),
                           f"{', '.join(names)} {state_name(state)} within {SETTLES:.0f} s")


class HostSubject:
    """The host as a whole."""

    name = HOST

    def __init__(self, host, follower):
        self.host = host
        self.follower = follower

    def bring_up(self):
        """A host is as it is."""
