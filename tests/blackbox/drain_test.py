"""A drain under load, and what it does to calls that cannot be answered."""

import signal
import threading
import time
import unittest

import grpc

from harness import raw_http2
from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON, StreamReader, channel
from harness.protos import clock, health, lifecycle, seconds, trial
from harness.traffic import Traffic

CALLS_PER_SECOND = 500
STREAMS = 20
TEMPORARY_FAILURE, SOFTWARE_FAILURE = 75, 70


def wait_until_still(read, looks=500):
    """Returns when what is read, by a call each, is above zero and has been the same so many times."""
    last, same = 0, 0
    deadline = time.monotonic() + SOON
    while same < looks:
        if time.monotonic() > deadline:
            raise AssertionError(f"expected it to come to rest, and it is {last}")
        now = read()
        same = same + 1 if now == last and now > 0 else 0
        last = now


class DrainUnderLoad(HostTestCase):
    def test_UnderCallsAndStreams_NothingIsCut(self):
        host = self.start_trial_host("--lame-duck=500ms", "--drain-timeout=5s",
                                     "--max-connection-age=1s")
        traffic = self.start_traffic(host)
        streams = self.start_streams(host)
        watch = StreamReader(health.stub(self.connect(host.data), "Health").Watch(
            health.HealthCheckRequest(service=""), timeout=60))
        watch.wait_for_message(lambda m: m.status == SERVING, "SERVING")
        stub, health_stub = self.trial(host)
        delayed = stub.Delay.future(trial.DelayRequest(time=seconds(1)), timeout=SOON)
        self.pass_ingress(health_stub)
        traffic.wait_for_answers("answered", CALLS_PER_SECOND // 2, "traffic before the drain")

        host.signal(signal.SIGTERM)
        line = self.assert_exit(host, 0)
        calls, ran = traffic.stop()

        self.assertIsNone(delayed.exception(), "expected the call in flight at SIGTERM answered OK")
        turned = watch.wait_for_message(lambda m: m.status == NOT_SERVING, "NOT_SERVING")
        ends = [stream.wait_for_end() for stream in streams]
        for code, details, when in ends:
            self.assertEqual(code, grpc.StatusCode.UNAVAILABLE, f"expected an end: {details}")
            self.assertIn("draining", details, "expected the reason of the end")
            self.assertLess(turned, when, "expected health to turn before any stream ended")
        self.assert_refused_not_cut(traffic.failures, turned)
        self.assertEqual((line["cut_calls"], line["hung"]), (0, []), "expected nothing cut")
        self.assertGreaterEqual(line["lame_duck_ms"], 500, "expected the lame duck to last")
        print(f"drained under {calls / ran:.0f} calls/s and {len(ends)} streams: "
              f"{traffic.answers['answered']} answered, {len(traffic.failures)} refused after the "
              f"listener closed, none cut; exit line {line}")

    def start_traffic(self, host):
        stub = clock.stub(self.connect(host.data), "Clock")
        request = clock.GetTimeRequest(time_zone="Europe/Berlin")
        traffic = Traffic(lambda: stub.GetTime.future(request, timeout=SOON),
                          CALLS_PER_SECOND, most_seconds=60)
        self.addCleanup(traffic.stop)
        return traffic

    def start_streams(self, host):
        stub = clock.stub(self.connect(host.data), "Clock")
        request = clock.WatchTimeRequest(interval=seconds(0.05))
        streams = [StreamReader(stub.WatchTime(request, timeout=60)) for _ in range(STREAMS)]
        for stream in streams:
            stream.wait_for_message(lambda m: m.tick >= 2, "ticks before the drain")
        return streams

    def assert_refused_not_cut(self, failures, turned):
        """No other host is there to go to, so calls fail in the end: at connecting, not midway."""
        for failure in failures:
            self.assertEqual(failure.code, grpc.StatusCode.UNAVAILABLE,
                             f"expected refused connections alone, got {failure}")
            self.assertIn("failed to connect", failure.details.lower(),
                          "expected no call to be cut on a connection that it was on")
            self.assertGreater(failure.when, turned, "expected no failure before health turned")


class CallsThatCannotBeAnswered(HostTestCase):
    def test_ForgottenCall_IsAnsweredUnavailable_AndExitSaysCut(self):
        host = self.start_trial_host("--drain-timeout=1s")
        stub, health_stub = self.trial(host)
        forgotten = [stub.Forget.future(trial.ForgetRequest(), timeout=30) for _ in range(3)]
        self.pass_ingress(health_stub)
        host.signal(signal.SIGTERM)
        line = self.assert_exit(host, TEMPORARY_FAILURE)
        self.assertGreaterEqual(line["cut_calls"], 3, "expected each cut call to be counted")
        for call in forgotten:
            self.assertEqual(call.code(), grpc.StatusCode.UNAVAILABLE,
                             f"expected an answer to the caller, got {call.details()}")

    def test_CallWhoseClientHasGone_IsNotWaitedFor(self):
        host = self.start_trial_host("--drain-timeout=60s")
        with channel(host.data) as connection:
            call = trial.stub(connection, "Trial").Forget.future(trial.ForgetRequest(), timeout=0.3)
            self.assertEqual(call.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        host.signal(signal.SIGTERM)
        self.assertEqual(self.assert_exit(host, 0)["cut_calls"], 0)

    def test_SigtermDuringAnOperatorsDrain_CutsNothing(self):
        host = self.start_trial_host("--drain-timeout=30s")
        stub, health_stub = self.trial(host)
        delayed = stub.Delay.future(trial.DelayRequest(time=seconds(1)), timeout=SOON)
        self.pass_ingress(health_stub)
        progress = self.operator(host).stub.Drain(lifecycle.DrainRequest(), timeout=SOON)
        next(progress)
        host.signal(signal.SIGTERM)
        self.assertIsNone(delayed.exception(), "expected what was accepted to be answered")
        line = self.assert_exit(host, 0)
        self.assertEqual(line["trigger"], "Lifecycle.Drain")

    def test_ClientThatCallsToTheEnd_IsCounted_AndExitSaysCut(self):
        host = self.start_trial_host("--lame-duck=100ms", "--drain-timeout=3s",
                                     "--max-connection-age=60s")
        stub, _ = self.trial(host)
        # At any time some are in flight, on their way, and on their way back.
        request = trial.DelayRequest(time=seconds(0.05))
        traffic = Traffic(lambda: stub.Delay.future(request, timeout=SOON), CALLS_PER_SECOND,
                          most_seconds=60)
        self.addCleanup(traffic.stop)
        traffic.wait_for_answers("answered", CALLS_PER_SECOND // 5, "traffic before the drain")
        host.signal(signal.SIGTERM)
        line = self.assert_exit(host, TEMPORARY_FAILURE)
        traffic.stop()
        ended = [failure for failure in traffic.failures
                 if failure.code == grpc.StatusCode.CANCELLED or "draining" in failure.details]
        print(f"{len(ended)} calls cut, refused or cancelled; exit line {line}")
        self.assertGreater(line["cut_calls"], 0, "expected what was refused to be counted")
        self.assertGreaterEqual(line["cut_calls"], len(ended),
                                f"expected every one to be counted: {ended[:5]}")

    def test_ClientStreamThatIsIdle_DoesNotHoldTheDrain(self):
        host = self.start_trial_host("--drain-timeout=60s")
        stub, health_stub = self.trial(host)
        written = threading.Event()
        self.addCleanup(written.set)

        def requests():
            yield trial.SumRequest(value=1)
            written.wait(SOON)

        upload = stub.Sum.future(requests(), timeout=60)
        self.pass_ingress(health_stub)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)
        self.assertEqual(upload.code(), grpc.StatusCode.UNAVAILABLE, upload.details())

    def test_ConnectionsThatDoNotGo_DoNotHoldTheDrain(self):
        host = self.start_trial_host("--lame-duck=100ms", "--drain-timeout=60s",
                                     "--max-connection-age=1s")
        silent, deaf = (raw_http2.connect(host.data) for _ in range(2))
        self.addCleanup(silent.close)
        self.addCleanup(deaf.close)
        # Then it neither reads nor answers.
        raw_http2.greet(deaf)
        host.signal(signal.SIGTERM)
        line = self.assert_exit(host, 0)
        # By itself gRPC waits 10 s for a preface, and 20 s for an answer to its ping.
        self.assertLess(line["close_ms"], 8000, "expected who does not go to be closed")

    def test_AClientThatTakesNothing_DoesNotHoldTheDrain(self):
        host = self.start_trial_host("--drain-timeout=2s")
        flood = trial.FloodRequest(count=1_000_000, bytes=1000)
        deaf = raw_http2.ask_and_take_nothing(host.data, "/mainspring.trial.v1.Trial/Flood",
                                              flood.SerializeToString())
        self.addCleanup(deaf.close)
        stub, _ = self.trial(host)
        # Then nothing goes out any more: what the system holds of it is full.
        wait_until_still(lambda: stub.CountDispatched(trial.CountDispatchedRequest(), timeout=SOON)
                         .flood_accepted)
        host.signal(signal.SIGTERM)
        line = self.assert_exit(host, TEMPORARY_FAILURE)
        self.assertEqual(line["cut_calls"], 1, "expected what was accepted and never taken to count")
        self.assertLess(line["total_ms"], 5000, "expected the connection to be closed")

    def test_CallsInTheMailbox_AreAnswered_WhenThereIsTime(self):
        host = self.start_trial_host("--drain-timeout=10s")
        stub, health_stub = self.trial(host)
        block = stub.Block.future(trial.BlockRequest(time=seconds(0.5)), timeout=SOON)
        echoes = [stub.Echo.future(trial.EchoRequest(text=str(n)), timeout=SOON) for n in range(50)]
        self.pass_ingress(health_stub)
        host.signal(signal.SIGTERM)
        self.assertIsNone(block.exception(), "expected the call that ran to be answered")
        self.assertEqual([echo.result().text for echo in echoes], [str(n) for n in range(50)],
                         "expected every queued call to be answered")
        self.assert_exit(host, 0)

    def test_StuckComponent_IsNamed_AndDoesNotKeepTheProcess(self):
        host = self.start_trial_host("--drain-timeout=1s", "--trial-stop-timeout=1s",
                                     "--trial-exit-margin=1s")
        stub, health_stub = self.trial(host)
        stuck = stub.Block.future(trial.BlockRequest(time=seconds(300)), timeout=60)
        self.pass_ingress(health_stub)
        host.signal(signal.SIGTERM)
        # Lame duck 0, drain 1 s, the stop of Trial 1 s and of Clock up to 5 s, margin 1 s.
        line = self.assert_exit(host, SOFTWARE_FAILURE, timeout=12)
        print(f"a stuck component kept the process for {host.seconds_to_end:.1f} s: {line}")
        self.assertEqual([hung["component"] for hung in line["hung"]], ["trial"],
                         "expected the stuck component to be named, and no other")
        self.assertIn("Block", line["hung"][0]["method"], "expected the method that it is stuck in")
        self.assertGreaterEqual(line["hung"][0]["age_ms"], 1000, "expected since when")
        self.assertEqual(stuck.code(), grpc.StatusCode.UNAVAILABLE, "expected the caller to know")

    def test_CallsAfterTheClose_OnAnOpenConnection_AreServed(self):
        host = self.start_trial_host("--drain-timeout=10s", "--max-connection-age=60s")
        stub, health_stub = self.trial(host)
        delayed = stub.Delay.future(trial.DelayRequest(time=seconds(1)), timeout=SOON)
        watch = StreamReader(health_stub.Watch(health.HealthCheckRequest(service=""), timeout=60))
        watch.wait_for_message(lambda m: m.status == SERVING, "SERVING")
        host.signal(signal.SIGTERM)
        watch.wait_for_message(lambda m: m.status == NOT_SERVING, "NOT_SERVING")
        self.assertEqual(stub.Echo(trial.EchoRequest(text="late"), timeout=SOON).text, "late",
                         "expected an open connection to be served while a call is in flight")
        self.assertFalse(delayed.done(), "expected the drain to have waited for the call in flight")
        self.assertIsNone(delayed.exception(), "expected the call in flight to be answered")
        self.assert_exit(host, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
