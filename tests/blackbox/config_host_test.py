"""The host's own configuration on a running host: by grpcurl, beside calls, and after kill -9."""

import os
import random
import signal
import threading
import unittest

import grpc

from harness import grpcurl, places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import clock, config, host as host_protos
from harness.traffic import Traffic

TYPE = "type.googleapis.com/mainspring.host.v1.HostConfig"
CLOCK = "type.googleapis.com/mainspring.clock.v1.ClockConfig"
FILE = "drain: {exit_margin: 20s}\ncomponents:\n- name: clock\n- {name: tokyo, type: clock}\n"


def clocks(*names):
    """Components of the Clock's type, as JSON."""
    return [{"name": name, "type": "clock"} for name in names]


class ConfigHostTestCase(HostTestCase):
    def setUp(self):
        directory = places.socket_directory(self)
        self.state = directory / "state"
        self.path = directory / "host.yaml"
        self.path.write_text(FILE)

    def start(self):
        return self.start_host(f"--state-dir={self.state}", f"--config={self.path}", admin="127.0.0.1:0")

    def call(self, host, method, **data):
        done = grpcurl.run(host.admin, f"mainspring.config.v1.Config/{method}", data=data)
        return (grpcurl.messages(done.output) or [{}])[0], done.error

    def update(self, host, paths="", **fields):
        """(answer, error) of making the host's fields, all or those of the mask, what they are here."""
        change = {"name": "", "config": {"@type": TYPE, **fields}}
        if paths:
            change["mask"] = {"paths": paths.split(",")}
        return self.call(host, "UpdateConfig", changes=[change])

    def shown(self, host):
        return self.call(host, "GetConfig")[0]["section"]["text"]

    def zone(self, host, name):
        stub = clock.stub(self.connect(host.data), "Clock")
        return stub.GetTime(clock.GetTimeRequest(), timeout=SOON,
                            metadata=(("mainspring-component", name),)).time_zone


class ByGrpcurl(ConfigHostTestCase):
    def setUp(self):
        super().setUp()
        grpcurl.require()

    def test_OneField_IsChangedAndPutBack(self):
        host = self.start()
        answer, error = self.update(host, "drain.exit_margin", drain={"exitMargin": "7s"})
        self.assertEqual(error, "")
        self.assertEqual(answer["changes"], [{"path": "drain.exit_margin", "oldValue": "20s",
                                              "newValue": "7s", "effect": "EFFECT_LIVE"}])
        self.assertIn("exit_margin: 7s", self.shown(host))
        self.call(host, "RollbackConfig", revision=0)
        self.assertIn("exit_margin: 20s", self.shown(host))

    def test_AComponent_IsAddedWithItsSectionAndHoldsAfterARestart(self):
        host = self.start()
        added = {"name": "lima", "type": "clock", "config": {"@type": CLOCK, "timeZone": "America/Lima"}}
        answer, error = self.update(host, "components", components=clocks("clock", "tokyo") + [added])
        self.assertEqual(error, "")
        self.assertEqual(answer["changes"][0]["path"], "components[lima].type")
        self.assertEqual(self.zone(host, "lima"), "America/Lima")
        host.signal(signal.SIGKILL)
        host.wait(SOON)
        host = self.start()
        self.assertEqual(self.zone(host, "lima"), "America/Lima")
        self.path.write_text(FILE.replace("20s", "21s"))
        host.end()
        host = self.start()
        self.assertTrue([line for line in host.lines if "the file says something else of the host" in line])
        self.assertNotIn("lima", self.shown(host))
        self.assertIn("exit_margin: 21s", self.shown(host))
        self.assertEqual(self.path.read_text(), FILE.replace("20s", "21s"))

    def test_WhatIsWrong_IsToldWhole(self):
        host = self.start()
        _, error = self.update(host, "components",
                               components=[{"name": "clock", "type": "clok"},
                                           {"name": "x", "type": "clock", "dependsOn": [{"component": "y"}]}])
        self.assertIn('components[clock].type: no component type "clok"; did you mean "clock"?', error)
        self.assertIn('components[x].depends_on[0].component: "y" is no component', error)
        _, error = self.update(host, "drain.grace_period", drain={"gracePeriod": "1s"})
        self.assertIn("drain.grace_period: a drain may take ", error)
        self.assertEqual(self.call(host, "ListRevisions")[0], {})

    def test_WhatAReloadWouldDo_IsToldBefore(self):
        host = self.start()
        self.path.write_text(FILE.replace("20s", "7s").replace("- name: clock\n", ""))
        answer, _ = self.call(host, "DiffConfig", of_file=True)
        self.assertEqual([(each["path"], each.get("newValue", "")) for each in answer["changes"]],
                         [("drain.exit_margin", "7s"), ("components[clock].type", "")])
        self.assertIn("exit_margin: 20s", self.shown(host))
        self.path.write_text("drian: {}\n")
        _, error = self.call(host, "ValidateConfig", of_file=True)
        self.assertIn('host.yaml:1:1: drian: is not known; did you mean "drain"?', error)


class BesideCalls(ConfigHostTestCase):
    def test_ComponentsThatComeAndGo_CostNobodyElseACall(self):
        host = self.start()
        stub = config.stub(self.connect(host.admin), "Config")
        times = clock.stub(self.connect(host.data), "Clock")
        traffic = Traffic(lambda: times.GetTime.future(
            clock.GetTimeRequest(), timeout=SOON, metadata=(("mainspring-component", "clock"),)),
                          per_second=300, most_seconds=120)
        draw = random.Random(5)
        for _ in range(30):
            names = ["clock"] + draw.sample(["a", "b", "c", "d"], draw.randrange(4))
            change = config.Change()
            host_config = host_protos.HostConfig()
            for name in names:
                host_config.components.add(name=name, type="clock")
            change.config.Pack(host_config)
            change.mask.paths.append("components")
            stub.UpdateConfig(config.UpdateConfigRequest(changes=[change]), timeout=SOON)
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures, [])
        self.assertGreater(calls, 30)


class Killed(ConfigHostTestCase):
    def test_AtRandomMoments_EveryAnsweredUpdateIsThereAndNoneIsHalfThere(self):
        draw = random.Random(4)
        answered = sent = 0
        for _ in range(int(os.environ.get("MAINSPRING_KILLS", "10"))):
            host = self.start()
            stub = config.stub(self.connect(host.admin), "Config")
            shown = host_protos.HostConfig()
            stub.GetConfig(config.GetConfigRequest(), timeout=SOON).section.config.Unpack(shown)
            now = shown.drain.exit_margin.seconds - 20
            self.assertGreaterEqual(now, answered, "expected what was answered")
            self.assertLessEqual(now, sent, "expected nothing that was not sent")
            self.assertEqual(shown.components[1].mailbox.max_calls, 1024 + now, "expected it whole")
            sent = answered = now
            killer = threading.Timer(draw.uniform(0, 0.15), host.signal, [signal.SIGKILL])
            killer.start()
            try:
                while True:
                    sent += 1
                    change = config.Change()
                    shown.drain.exit_margin.seconds = 20 + sent
                    shown.components[1].mailbox.max_calls = 1024 + sent
                    change.config.Pack(shown)
                    change.mask.paths.extend(["drain.exit_margin", "components"])
                    stub.UpdateConfig(config.UpdateConfigRequest(changes=[change]), timeout=SOON)
                    answered = sent
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE, error)
            killer.join()
            host.wait(SOON)
        print(f"{answered} updates were answered")
        self.assertGreater(answered, 10)


if __name__ == "__main__":
    unittest.main()
