"""Signals: who skips what, and how the process ends."""

import signal
import threading
import unittest

import grpc

from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON, StreamReader
from harness.protos import clock, health, reflection_v1, seconds, trial

TEMPORARY_FAILURE, SOFTWARE_FAILURE = 75, 70


class Signals(HostTestCase):
    def drain(self, host, number=signal.SIGTERM):
        """Sends the first signal and returns when the host is seen to drain."""
        stub = health.stub(self.connect(host.admin), "Health")
        watch = StreamReader(stub.Watch(health.HealthCheckRequest(service=""), timeout=60))
        watch.wait_for_message(lambda m: m.status == SERVING, "SERVING")
        host.signal(number)
        watch.wait_for_message(lambda m: m.status == NOT_SERVING, "NOT_SERVING")

    def test_IdleHost_WithoutLameDuck_IsGoneWithin200ms(self):
        took = []
        for _ in range(5):
            host = self.start_host()
            host.signal(signal.SIGTERM)
            self.assert_exit(host, 0)
            took.append(host.seconds_to_end * 1000)
        print("an idle host was gone after", ", ".join(f"{ms:.0f}" for ms in took), "ms")
        self.assertLess(min(took), 200, f"expected the best of five under 200 ms, got {took}")

    def test_EachOfTermAndInt_Drains(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            host = self.start_host("--lame-duck=100ms")
            host.signal(number)
            line = self.assert_exit(host, 0)
            self.assertEqual(line["trigger"], number.name, "expected the signal as the trigger")
            self.assertGreaterEqual(line["lame_duck_ms"], 100, "expected the lame duck to last")
            self.assertEqual((line["cut_calls"], line["hung"]), (0, []), "expected nothing cut")

    def test_SecondSignal_SkipsTheLameDuck(self):
        host = self.start_host("--lame-duck=60s", "--drain-timeout=60s")
        self.drain(host)
        host.signal(signal.SIGINT)
        line = self.assert_exit(host, 0)
        self.assertLess(line["lame_duck_ms"], 60_000, "expected a shorter lame duck")

    def test_SecondSignal_SkipsTheWaitForCalls_AndSaysSo(self):
        host = self.start_trial_host("--drain-timeout=60s")
        stub, health_stub = self.trial(host)
        forgotten = stub.Forget.future(trial.ForgetRequest(), timeout=60)
        self.pass_ingress(health_stub)
        self.drain(host)
        host.signal(signal.SIGINT)
        line = self.assert_exit(host, TEMPORARY_FAILURE)
        self.assertGreaterEqual(line["cut_calls"], 1, "expected the cut call to be counted")
        self.assertEqual(forgotten.code(), grpc.StatusCode.UNAVAILABLE, "expected it answered")

    def test_ThirdSignal_EndsAtOnce(self):
        host = self.start_trial_host("--lame-duck=60s", "--drain-timeout=60s",
                                     "--trial-stop-timeout=60s", "--trial-exit-margin=60s")
        stub, health_stub = self.trial(host)
        blocked = stub.Block.future(trial.BlockRequest(time=seconds(120)), timeout=60)
        self.pass_ingress(health_stub)
        self.drain(host)
        # Of two pending signals of one number the kernel keeps one, so these are different ones.
        host.signal(signal.SIGINT)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, SOFTWARE_FAILURE, timeout=SOON)
        self.assertEqual(blocked.code(), grpc.StatusCode.UNAVAILABLE, "expected the call to fail")

    def test_OpenStreams_DoNotHoldTheDrain(self):
        host = self.start_host("--drain-timeout=60s", admin="127.0.0.1:0")
        streams = []
        for address in (host.data, host.admin):
            connection = self.connect(address)
            for name in ("", "liveness", "no.such"):
                watch = health.stub(connection, "Health").Watch(
                    health.HealthCheckRequest(service=name), timeout=90)
                next(watch)
                streams.append(StreamReader(watch))
            question = reflection_v1.ServerReflectionRequest(list_services="*")
            reflect = reflection_v1.stub(connection, "ServerReflection").ServerReflectionInfo(
                self.question_then_silence(question), timeout=90)
            next(reflect)
            streams.append(StreamReader(reflect))
        ticks = clock.stub(self.connect(host.data), "Clock").WatchTime(
            clock.WatchTimeRequest(interval=seconds(3600)), timeout=90)
        next(ticks)
        streams.append(StreamReader(ticks))
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0, timeout=SOON)
        print(f"a drain with {len(streams)} open streams took {host.seconds_to_end * 1000:.0f} ms")
        for stream in streams:
            code, details, _ = stream.wait_for_end()
            self.assertIn(code, (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE),
                          f"expected the stream to be ended, not cut: {details}")

    def question_then_silence(self, question):
        """A request stream that stays open until the test is over."""
        over = threading.Event()
        self.addCleanup(over.set)
        yield question
        over.wait(90)

    def test_Usr1_LogsEveryComponent_AndTheHostServesOn(self):
        host = self.start_trial_host("--trials=trial,other")
        for _ in range(2):
            seen = len(host.lines)
            host.signal(signal.SIGUSR1)
            for name in ("clock", "trial", "other"):
                host.wait_for_line(lambda line: name in line and "RUNNING" in line,
                                   f"{name} RUNNING", since=seen)
        stub, _ = self.trial(host)
        answer = stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON,
                           metadata=[("mainspring-component", "trial")])
        self.assertEqual(answer.text, "hello", "expected the host to serve on")

    def test_HupAndPipe_DoNotEndTheHost(self):
        host = self.start_host()
        stub = clock.stub(self.connect(host.data), "Clock")
        for number in (signal.SIGHUP, signal.SIGPIPE):
            seen = len(host.lines)
            host.signal(number)
            host.signal(signal.SIGUSR1)  # its number is higher: taken after SIGHUP
            host.wait_for_line(lambda line: "clock" in line, "the state of clock", since=seen)
            answer = stub.GetTime(clock.GetTimeRequest(), timeout=SOON)
            self.assertTrue(answer.rfc3339, f"expected the host to live through {number.name}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
