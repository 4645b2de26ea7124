"""The components as the kit found them, and the way back."""

from expectation import Mismatch, expect_ok
from host import component_text, eventually
from protos import FAILED, RUNNING, STOPPED, state_name


class Baseline:
    """How each component was. One that was neither RUNNING nor STOPPED cannot be put back."""

    def __init__(self, host):
        self._host = host
        # Starts and stops that were under way before the kit came are let end.
        eventually(lambda: all(each.state in (RUNNING, STOPPED, FAILED)
                               for each in host.components().values()))
        self._found = host.components()

    @property
    def names(self):
        return list(self._found)

    def why_not(self, name):
        """Why a component cannot be checked without a trace; empty if it can."""
        component = self._found[name]
        if component.state not in (RUNNING, STOPPED):
            return f"it is {state_name(component.state)} and could not be put back"
        for each in self._hard_dependencies(name):
            if self._found[each].state not in (RUNNING, STOPPED):
                return f"it needs {each}, which is {state_name(self._found[each].state)}"
        return ""

    def restore(self):
        """Puts back what a check has changed. Raises Mismatch where the host will not.

        A component that comes back by itself, from BACKOFF or with its dependency, is let.
        """
        now = self._host.components()
        for name, found in self._found.items():
            if found.state == RUNNING and now[name].state in (STOPPED, FAILED):
                self._must("StartComponent", name, cascade=True)
        now = self._host.components()
        for name, found in self._found.items():
            if found.state == STOPPED and now[name].state != STOPPED:
                self._must("StopComponent", name, cascade=True)
        now = self._host.components()
        for name, found in self._found.items():
            if found.state == RUNNING == now[name].state:
                self._restore_flags(found, now[name])

    def left_as_found(self):
        """The last check: restores, and raises Mismatch unless all is as it was."""
        self.restore()
        if not eventually(lambda: not self._differences()):
            raise Mismatch("; ".join(self._differences()))
        return f"{len(self._found)} components as they were"

    def _restore_flags(self, found, now):
        """Takes both away, then sets them: one that is paused has no end of its drain to tell."""
        if (found.paused, found.draining) == (now.paused, now.draining):
            return
        for rpc, wanted in (("ResumeComponent", True), ("UndrainComponent", True),
                            ("DrainComponent", found.draining), ("PauseComponent", found.paused)):
            if wanted:
                self._must(rpc, found.name)

    def _must(self, rpc, name, **fields):
        expect_ok(self._host.ask(rpc, name=name, **fields), f"{rpc} {name}")

    def _differences(self):
        now = self._host.components()
        return [f"{component_text(now[name])}, found {component_text(found)}"
                for name, found in self._found.items()
                if not self.why_not(name) and _kept(now[name]) != _kept(found)]

    def _hard_dependencies(self, name):
        """The names of all that it needs, and of what those need."""
        needed, waiting = [], [name]
        while waiting:
            for each in self._found[waiting.pop()].depends_on:
                if each.hard and each.component not in needed:
                    needed.append(each.component)
                    waiting.append(each.component)
        return needed


def _kept(component):
    return component.state, component.paused, component.draining
