"""The end of a host as an operator asks for it: Drain, GetDrainStatus, ShutdownNow."""

import signal
import unittest

import grpc

from harness.case import HostTestCase
from harness.client import SOON, StreamReader
from harness.protos import lifecycle, seconds, trial

TEMPORARY_FAILURE = 75
Progress = lifecycle.DrainProgress


class ShutdownTestCase(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host(*flags)
        self.stub, self.health = self.trial(self.host)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.check(self.health, "liveness")

    def drain(self):
        """A stream of Drain by a client of its own, its first report read."""
        reader = StreamReader(self.operator(self.host).stub.Drain(lifecycle.DrainRequest(),
                                                                  timeout=60))
        reader.wait_for_message(lambda m: m.HasField("progress"), "a report")
        return reader

    def status(self):
        return self.lifecycle.stub.GetDrainStatus(lifecycle.GetDrainStatusRequest(),
                                                  timeout=SOON).progress

    def phases(self, reader):
        names = [Progress.Phase.Name(message.progress.phase) for message in reader.messages]
        return [name for number, name in enumerate(names) if names[:number][-1:] != [name]]

    def wait_for_phase(self, reader, name):
        reader.wait_for_message(
            lambda m: Progress.Phase.Name(m.progress.phase) == name, f"phase {name}")


class Drain(ShutdownTestCase):
    def test_Drain_ReportsEachPhaseToTheEnd_ThenOk(self):
        self.start("--lame-duck=200ms", "--drain-timeout=5s", "--max-connection-age=300ms")
        delayed = self.stub.Delay.future(trial.DelayRequest(time=seconds(0.6)), timeout=SOON)
        self.pass_ingress(self.health)
        reader = self.drain()
        line = self.assert_exit(self.host, 0)
        code, details, _ = reader.wait_for_end()
        self.assertEqual(code, grpc.StatusCode.OK, f"expected the stream to end OK: {details}")
        self.assertIsNone(delayed.exception(), "expected the call in flight to be answered")
        self.assertEqual(line["trigger"], "Lifecycle.Drain")
        phases = self.phases(reader)
        print("a drain was reported in", len(reader.messages), "messages:", " ".join(phases))
        in_order = [name for name in ("LAME_DUCK", "CLOSE", "FINISH", "STOP", "OVER")
                    if name in phases]
        self.assertIn(phases[0], ("SERVING", "LAME_DUCK"), "expected it to begin at the beginning")
        self.assertEqual([name for name in phases if name != "SERVING"], in_order,
                         "expected no phase twice, and none out of order")
        self.assertLessEqual({"LAME_DUCK", "CLOSE", "OVER"}, set(phases))
        reports = [message.progress for message in reader.messages]
        self.assertTrue([each for each in reports if each.calls_in_flight == 1],
                        "expected the call in flight to be counted")
        self.assertTrue([each for each in reports if each.open_connections >= 1],
                        "expected the open connection to be counted")
        self.assertEqual(set(reports[0].components_up), {"clock", "trial"})
        self.assertEqual(list(reports[-1].components_up), [])
        self.assertEqual({each.trigger for each in reports[1:]}, {"Lifecycle.Drain"})

    def test_ClientOfADrainWhoLeaves_DoesNotEndIt(self):
        self.start("--lame-duck=200ms", "--drain-timeout=200ms")
        self.drain().cancel()
        self.assertEqual(self.assert_exit(self.host, 0)["trigger"], "Lifecycle.Drain")

    def test_DrainThatASignalBegan_IsReportedAsWell(self):
        self.start("--lame-duck=700ms", "--drain-timeout=200ms")
        self.host.signal(signal.SIGTERM)
        readers = [self.drain() for _ in range(3)]
        line = self.assert_exit(self.host, 0)
        self.assertEqual(line["trigger"], "SIGTERM", "expected the first trigger to be told")
        self.assertGreaterEqual(line["lame_duck_ms"], 700, "expected Drain not to be impatient")
        for reader in readers:
            self.assertEqual(reader.wait_for_end()[0], grpc.StatusCode.OK)
            self.assertEqual(self.phases(reader)[-1], "OVER")

    def test_Status_TellsThePhase_ForAPreStopHook(self):
        self.start("--lame-duck=700ms", "--drain-timeout=200ms")
        before = self.status()
        self.assertEqual((Progress.Phase.Name(before.phase), before.trigger), ("SERVING", ""))
        self.assertFalse(self.lifecycle.list().host.draining)
        reader = self.drain()
        self.wait_for_phase(reader, "LAME_DUCK")
        during = self.status()
        self.assertEqual((Progress.Phase.Name(during.phase), during.trigger),
                         ("LAME_DUCK", "Lifecycle.Drain"))
        self.assertGreater(during.in_phase.ToNanoseconds(), 0)
        self.assertTrue(self.lifecycle.list().host.draining)
        self.assertEqual(self.stub.Echo(trial.EchoRequest(text="late"), timeout=SOON).text, "late",
                         "expected a lame duck to serve")
        self.assert_exit(self.host, 0)

    def test_CommandsDuringADrain_AreRefused_AndQuestionsAnswered(self):
        self.start("--lame-duck=500ms", "--drain-timeout=200ms")
        reader = self.drain()
        self.wait_for_phase(reader, "LAME_DUCK")
        for command in (self.lifecycle.stop, self.lifecycle.start, self.lifecycle.restart):
            error = self.assert_fails(grpc.StatusCode.UNAVAILABLE, lambda: command("trial"),
                                      "a command while the host drains")
            self.assertIn("draining", error.details())
        self.assertEqual(self.lifecycle.states(), {"clock": "RUNNING", "trial": "RUNNING"})
        self.assert_exit(self.host, 0)

    def test_CommandUnderWay_WhenTheHostStops_IsTold(self):
        self.start("--trial-start=trial:take=500ms@2")
        restart = self.lifecycle.stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial"), timeout=SOON)
        self.lifecycle.wait_for_state("trial", "STARTING", generation=2)
        self.host.signal(signal.SIGTERM)
        self.assertEqual(restart.code(), grpc.StatusCode.UNAVAILABLE, restart.details())
        self.assertIn("draining", restart.details())
        self.assert_exit(self.host, 0)


class ShutdownNow(ShutdownTestCase):
    def shut_down(self):
        return self.lifecycle.stub.ShutdownNow(lifecycle.ShutdownNowRequest(), timeout=SOON)

    def test_ShutdownNow_SkipsTheWholeDrain(self):
        self.start("--lame-duck=60s", "--drain-timeout=60s")
        self.shut_down()
        line = self.assert_exit(self.host, 0)
        self.assertEqual(line["trigger"], "Lifecycle.ShutdownNow")
        self.assertLess(line["total_ms"], 5000)

    def test_ShutdownNow_SkipsWhatIsLeft_AndSaysWhatItCut(self):
        self.start("--lame-duck=60s", "--drain-timeout=60s")
        forgotten = self.stub.Forget.future(trial.ForgetRequest(), timeout=60)
        self.pass_ingress(self.health)
        reader = self.drain()
        self.wait_for_phase(reader, "LAME_DUCK")
        self.shut_down()
        line = self.assert_exit(self.host, TEMPORARY_FAILURE)
        self.assertEqual(line["trigger"], "Lifecycle.Drain", "expected what began it")
        self.assertGreaterEqual(line["cut_calls"], 1)
        self.assertEqual(forgotten.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(reader.wait_for_end()[0], grpc.StatusCode.OK)

    def test_ShutdownNow_Again_IsNoThirdSignal(self):
        """A second one must not end the process while its components stop."""
        self.start("--lame-duck=60s", "--drain-timeout=60s")
        blocked = self.stub.Block.future(trial.BlockRequest(time=seconds(0.5)), timeout=SOON)
        self.pass_ingress(self.health)
        for _ in range(3):
            self.shut_down()
        line = self.assert_exit(self.host, TEMPORARY_FAILURE)
        self.assertEqual(line["hung"], [])
        self.assertEqual(blocked.code(), grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
