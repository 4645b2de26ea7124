"""The host that is checked: its planes, and commands whose outcome is a value.

Every rpc has a deadline, so that no check waits for ever for a host that does not answer.
"""

import threading
import time
from typing import Any, NamedTuple

import grpc

from harness import client
from protos import config, health, lifecycle, state_name

# The longest that an rpc may take. A command waits for a component's own start or stop timeout.
AT_ONCE = 10.0
COMMAND = 60.0
# How long to wait for what follows an answer rather than comes before it, such as health.
SETTLES = 10.0


class Unreachable(Exception):
    """No host, or not one that serves Lifecycle; the text is for the user."""


class Answer(NamedTuple):
    """What an rpc answered: a status, and the response where that is OK."""

    code: grpc.StatusCode
    details: str
    response: Any = None

    def __str__(self):
        if self.code is not grpc.StatusCode.OK:
            return f'{self.code.name} "{self.details}"'
        told = ["OK"]
        if hasattr(self.response, "steps"):
            told.append(steps_text(self.response.steps))
        if hasattr(self.response, "component"):
            told.append(component_text(self.response.component))
        return ", ".join(told)


def steps_text(steps):
    names = [f"{lifecycle.Step.Action.Name(step.action)} {step.component}" for step in steps]
    return f"steps {' '.join(names)}" if names else "no steps"


def component_text(component):
    flags = [flag for flag in ("paused", "draining") if getattr(component, flag)]
    return ", ".join([f"{component.name} {state_name(component.state)}", *flags,
                      f"generation {component.generation}"])


def eventually(predicate, seconds=SETTLES):
    """Asks until it holds or the time is over; whether it held.

    For what a host tells only when it is asked. What it tells by itself is waited for.
    """
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not predicate():
        if time.monotonic() > end:
            return False
        pause.wait(0.05)
    return True


class Host:
    """The connections to one host. `data` is None where the data plane is not to be used."""

    def __init__(self, admin, data=None):
        self.admin = admin
        self.data = data
        self._channels = {"admin": client.channel(admin)}
        if data:
            self._channels["data"] = client.channel(data)
        self._health = {plane: health.stub(channel, "Health")
                        for plane, channel in self._channels.items()}
        self._lifecycle = lifecycle.stub(self._channels["admin"], "Lifecycle")
        self._config = config.stub(self._channels["admin"], "Config")
        # Apart from the commands, so that a stream never holds up the end of their connection.
        self._watches = client.channel(admin)

    @property
    def planes(self):
        return list(self._channels)

    @property
    def data_channel(self):
        return self._channels.get("data")

    def close(self):
        for channel in [*self._channels.values(), self._watches]:
            channel.close()

    def reach(self):
        """Raises Unreachable unless both planes answer and the admin plane serves Lifecycle."""
        for plane, channel in self._channels.items():
            address = getattr(self, plane)
            try:
                grpc.channel_ready_future(channel).result(timeout=AT_ONCE)
            except grpc.FutureTimeoutError:
                raise Unreachable(f"cannot connect to the {plane} plane at {address} "
                                  f"within {AT_ONCE:.0f} s") from None
        answer = self.ask("ListComponents", timeout=AT_ONCE)
        if answer.code is not grpc.StatusCode.OK:
            raise Unreachable(f"expected mainspring.lifecycle.v1.Lifecycle on the admin plane at "
                              f"{self.admin}, got {answer}")

    def ask(self, rpc, timeout=COMMAND, **fields):
        """Calls an rpc of Lifecycle with a request of these fields."""
        return self.ask_at_once(rpc, 1, timeout, **fields)[0]

    def ask_config(self, rpc, timeout=COMMAND, **fields):
        """The same of Config."""
        request = getattr(config, rpc + "Request")(**fields)
        return _outcome(getattr(self._config, rpc).future(request, timeout=timeout))

    def watch_config(self):
        """The call of a new WatchConfig, to be read and cancelled."""
        stub = config.stub(self._watches, "Config")
        return stub.WatchConfig(config.WatchConfigRequest(), timeout=AT_ONCE)

    def ask_at_once(self, rpc, times, timeout=COMMAND, **fields):
        """The same call several times at once; an Answer for each."""
        request = getattr(lifecycle, rpc + "Request")(**fields)
        calls = [getattr(self._lifecycle, rpc).future(request, timeout=timeout)
                 for _ in range(times)]
        return [_outcome(call) for call in calls]

    def list(self, **filters):
        """All pages of ListComponents as one answer; each must answer OK."""
        pages = [self.list_page(**filters)]
        while pages[-1].next_page_token:
            pages.append(self.list_page(page_token=pages[-1].next_page_token, **filters))
        whole = pages[0]
        for page in pages[1:]:
            whole.components.extend(page.components)
        whole.next_page_token = ""
        return whole

    def list_page(self, **fields):
        answer = self.ask("ListComponents", timeout=AT_ONCE, **fields)
        if answer.code is not grpc.StatusCode.OK:
            raise AssertionError(f"ListComponents answered {answer}")
        return answer.response

    def components(self):
        """name -> Component."""
        return {each.name: each for each in self.list().components}

    def watch(self, incarnation="", after_sequence=0, timeout=None):
        """The call of a new WatchComponents, to be read and cancelled."""
        stub = lifecycle.stub(self._watches, "Lifecycle")
        return stub.WatchComponents(lifecycle.WatchComponentsRequest(
            incarnation=incarnation, after_sequence=after_sequence), timeout=timeout)

    def last_sequence(self):
        """The sequence number of the last event: that of a new watch's snapshot."""
        call = self.watch(timeout=AT_ONCE)
        try:
            message = next(call, lifecycle.WatchComponentsResponse())
        finally:
            call.cancel()
        if message.WhichOneof("update") != "snapshot":
            raise AssertionError(f"a new watch began with {message.WhichOneof('update')}, "
                                 "not with a snapshot")
        return message.snapshot.sequence

    def health(self, plane, name):
        """What Health.Check says of a name: the name of its status, or an error's code."""
        try:
            answer = self._health[plane].Check(health.HealthCheckRequest(service=name),
                                               timeout=AT_ONCE)
        except grpc.RpcError as error:
            return error.code().name
        return health.HealthCheckResponse.ServingStatus.Name(answer.status)


def _outcome(call):
    error = call.exception()
    if error is None:
        return Answer(grpc.StatusCode.OK, "", call.result())
    return Answer(call.code(), call.details() or "")
