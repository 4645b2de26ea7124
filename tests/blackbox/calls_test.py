"""What the caller sees when a component is busy, fails, or is one of several."""

import queue
import time
import unittest

import grpc

from harness.case import HostTestCase
from harness.client import SOON, StreamReader
from harness.protos import clock, seconds, trial

MAILBOX = 8
ECHO = trial.EchoRequest(text="hello")


def dispatched(stub):
    """How many calls of each method the component was given. Waits behind what is queued."""
    counts = stub.CountDispatched(trial.CountDispatchedRequest(), timeout=SOON).calls
    return {method.rsplit("/")[-1].rsplit(".")[-1]: count for method, count in counts.items()}


class Mailbox(HostTestCase):
    def setUp(self):
        self.host = self.start_trial_host(f"--trial-mailbox-calls={MAILBOX}")
        self.stub, self.health = self.trial(self.host)

    def block(self, duration):
        """A call that the component's thread is stuck in when this returns."""
        blocked = self.stub.Block.future(trial.BlockRequest(time=seconds(duration)), timeout=SOON)
        self.operator(self.host).wait_until(
            lambda components: components["trial"].thread.method.endswith("Block"), "Block")
        return blocked

    def test_FullMailbox_RefusesAtOnce_WhileHealthAnswers(self):
        block = self.block(3.0)
        echoes = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(3 * MAILBOX)]
        began = time.monotonic()
        self.pass_ingress(self.health)
        took = time.monotonic() - began
        ended = queue.Queue()
        for echo in echoes:
            echo.add_done_callback(ended.put)
        refused = [ended.get(timeout=SOON).code() for _ in range(2 * MAILBOX)]
        error = self.assert_fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                                  lambda: self.stub.Echo(ECHO, timeout=SOON), "a full mailbox")
        self.assertFalse(block.done(), "expected health and the refusal while the thread is stuck")
        self.assertLess(took, 1.0, "expected health to answer at once beside a stuck component")
        print(f"health beside a stuck component took {took * 1000:.1f} ms; {error.details()}")

        self.assertIsNotNone(block.result(), "expected the stuck call to be answered in the end")
        answered = [echo for echo in echoes if echo.exception() is None]
        self.assertEqual(len(answered), MAILBOX, "expected what the mailbox holds")
        self.assertEqual({echo.code() for echo in echoes if echo not in answered},
                         {grpc.StatusCode.RESOURCE_EXHAUSTED}, "expected the rest to be refused")
        self.assertEqual(set(refused), {grpc.StatusCode.RESOURCE_EXHAUSTED},
                         "expected refusals while the thread was stuck")
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello",
                         "expected the component to serve again")

    def test_QueuedCall_PastItsDeadline_IsNeverDispatched(self):
        block = self.block(1.0)
        self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                          lambda: self.stub.Echo(ECHO, timeout=0.2), "a call queued too long")
        self.assertFalse(block.done(), "expected the deadline to pass while the call was queued")
        self.assertIsNotNone(block.result(), "expected Block to be answered")
        self.assert_only_block_was_dispatched()

    def test_QueuedCall_Cancelled_IsNeverDispatched(self):
        block = self.block(1.0)
        echo = self.stub.Echo.future(ECHO, timeout=SOON)
        self.pass_ingress(self.health)  # queued now
        echo.cancel()
        self.pass_ingress(self.health)  # and the cancellation has arrived
        self.assertFalse(block.done(), "expected the call to be cancelled while it was queued")
        self.assertIsNotNone(block.result(), "expected Block to be answered")
        self.assert_only_block_was_dispatched()

    def assert_only_block_was_dispatched(self):
        counts = dispatched(self.stub)
        self.assertEqual((counts.get("Block", 0), counts.get("Echo", 0)), (1, 0),
                         f"expected Block and no Echo to have reached the component: {counts}")


class Failures(HostTestCase):
    def setUp(self):
        self.host = self.start_trial_host()
        self.stub, _ = self.trial(self.host)

    def test_ManyThrows_CostNothingButTheirCalls(self):
        host = self.start_trial_host("--trial-fail-calls")
        stub, _ = self.trial(host)
        others = [stub.Delay.future(trial.DelayRequest(time=seconds(2.0)), timeout=SOON)
                  for _ in range(3)]
        for _ in range(100):
            throws = [stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON)
                      for _ in range(100)]
            self.assertEqual({call.code() for call in throws}, {grpc.StatusCode.INTERNAL})
        for call in others:
            self.assertIsNotNone(call.result(), "expected the replies that it kept to be answered")
        component = self.operator(host).get("trial")
        self.assertEqual((component.generation, component.mailbox.failed), (1, 10_000))
        self.assertEqual(stub.Echo(ECHO, timeout=SOON).text, "hello")

    def test_DroppedReply_IsInternal(self):
        error = self.assert_fails(
            grpc.StatusCode.INTERNAL,
            lambda: self.stub.DropReply(trial.DropReplyRequest(), timeout=SOON), "a dropped reply")
        self.assertIn("the component dropped the request", error.details(), "expected the reason")
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello",
                         "expected the component to serve on")

    def test_ThrowingMethod_IsInternalWithAnIdThatLeadsToTheLog(self):
        secret = "password-is-swordfish"
        error = self.assert_fails(
            grpc.StatusCode.INTERNAL,
            lambda: self.stub.Throw(trial.ThrowRequest(what=secret), timeout=SOON), "a throw")
        self.assertNotIn("swordfish", str(error), "expected the thrown text not to leave the host")
        line = self.host.wait_for_line(lambda text: secret in text, "the thrown text")
        words = [word.strip("\"'.,;:()[]") for word in error.details().replace("=", " ").split()]
        ids = [word for word in words if any(map(str.isdigit, word)) and word in line]
        self.assertTrue(ids, "expected a request id in the status that is in the log line too: "
                        f"{error.details()!r} / {line!r}")

    def test_ThrowingMethod_LeavesTheHostServing(self):
        clocks = clock.stub(self.connect(self.host.data), "Clock")
        for round_number in range(3):
            self.assert_fails(grpc.StatusCode.INTERNAL,
                              lambda: self.stub.Throw(trial.ThrowRequest(what="x"), timeout=SOON),
                              f"throw {round_number}")
            self.assertTrue(clocks.GetTime(clock.GetTimeRequest(), timeout=SOON).rfc3339,
                            "expected other components to serve on")
            self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello",
                             "expected the component that threw to serve again")

    def test_WhateverIsThrown_OperatorsCanReadOfIt(self):
        """A client of the data plane must not blind them."""
        operator = self.operator(self.host)
        watch = StreamReader(operator.watch())
        for generation, (request, start) in enumerate((
                (trial.ThrowRequest(raw_what=b"caf\xe9"), "INTERNAL: caf\\xe9"),
                (trial.ThrowRequest(what="x" * 1000, times=5000), "INTERNAL: xxx"),
                (trial.ThrowRequest(raw_what=b"\xe9" * 1000, times=5000), "INTERNAL: \\xe9")), 1):
            self.assert_fails(grpc.StatusCode.INTERNAL,
                              lambda: self.stub.Throw(request, timeout=SOON), "a throw")
            operator.wait_for_state("trial", "RUNNING", generation=generation + 1)
            [listed] = [each for each in operator.list().components if each.name == "trial"]
            for error in (operator.get("trial").recent_failures[-1].error, listed.last_error):
                self.assertTrue(error.startswith(start), f"expected {start!r}, got {error!r}")
                self.assertLessEqual(len(error.encode()), 1024, "expected 1 KiB at most")
        watch.wait_for_message(lambda message: message.event.generation == 4,
                               "the last restart")
        watch.cancel()

    def test_AnErrorThatIsNoText_ReachesTheClientReadable(self):
        error = self.assert_fails(
            grpc.StatusCode.ABORTED,
            lambda: self.stub.Refuse(trial.RefuseRequest(code=grpc.StatusCode.ABORTED.value[0],
                                                         raw_text=b"caf\xe9"), timeout=SOON),
            "a refusal")
        self.assertEqual(error.details(), "caf\\xe9")

    def test_LongStatusText_IsCutAt1KiB(self):
        for letter in ("x", "\u00e9", "\u65e5"):
            request = trial.RefuseRequest(code=grpc.StatusCode.ABORTED.value[0],
                                          text=letter * 50_000)
            error = self.assert_fails(grpc.StatusCode.ABORTED,
                                      lambda: self.stub.Refuse(request, timeout=SOON),
                                      "a refusal with a long text")
            self.assertIn(letter * 100, error.details(), "expected the start of the text, readable")
            self.assertLessEqual(len(error.details().encode()), 1024, "expected 1 KiB at most")


class SeveralComponents(HostTestCase):
    def setUp(self):
        self.host = self.start_trial_host("--trials=trial,other")
        self.stub, _ = self.trial(self.host)

    def echo(self, name=None):
        metadata = [] if name is None else [("mainspring-component", name)]
        return self.stub.Echo(ECHO, timeout=SOON, metadata=metadata)

    def test_Named_AnswersThatOne(self):
        for name in ("trial", "other"):
            self.assertEqual(self.echo(name).component, name, f"expected {name} to answer")

    def test_Unnamed_IsInvalidArgumentListingTheNames(self):
        error = self.assert_fails(grpc.StatusCode.INVALID_ARGUMENT, self.echo, "no name")
        for name in ("trial", "other"):
            self.assertIn(name, error.details(), "expected the names to choose from")

    def test_Unknown_IsNotFoundListingTheNames(self):
        error = self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.echo("nobody"), "nobody")
        for name in ("trial", "other", "nobody"):
            self.assertIn(name, error.details(), "expected the name and those to choose from")

    def test_NameOfAnotherType_IsNotFound(self):
        self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.echo("clock"), "a clock as Trial")

    def test_OnlyOneOfItsType_IsMeantWithoutAName(self):
        clocks = clock.stub(self.connect(self.host.data), "Clock")
        for metadata in ((), (("mainspring-component", "clock"),)):
            answer = clocks.GetTime(clock.GetTimeRequest(), timeout=SOON, metadata=metadata)
            self.assertTrue(answer.rfc3339, "expected the only clock to answer")


if __name__ == "__main__":
    unittest.main(verbosity=2)
