"""Commands outlive whoever gave them, and one request id is one command."""

import signal
import subprocess
import threading
import unittest

import grpc

from harness import grpcurl
from harness.case import HostTestCase
from harness.client import SOON
from harness.operator import name_of
from harness.protos import lifecycle, seconds, trial

LIFECYCLE = "mainspring.lifecycle.v1.Lifecycle"
REMEMBERED = 1000
Operation = lifecycle.Operation


class Operations(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host("--trials=trial?", *flags)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.lifecycle.list()

    def begin_restart(self, request_id):
        """A process of its own that asks for a restart and waits for the answer."""
        grpcurl.require()
        data = f'{{"name":"trial","request_id":"{request_id}"}}'
        caller = subprocess.Popen([grpcurl.find(), "-plaintext", "-d", data, self.host.admin,
                                   f"{LIFECYCLE}/RestartComponent"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(caller.stdout.close)
        self.addCleanup(caller.kill)
        return caller

    def kill_in_the_middle(self, caller):
        self.lifecycle.wait_for_state("trial", "STARTING", generation=2)
        self.assertIsNone(caller.poll(), "expected the caller to wait for the slow Start")
        caller.send_signal(signal.SIGKILL)
        self.assertEqual(caller.wait(SOON), -signal.SIGKILL, "expected it to be gone")

    def test_CallerKilledInTheMiddle_AsksAgain_AndThereIsOneRestart(self):
        self.start("--trial-start=trial:take=800ms@2")
        self.kill_in_the_middle(self.begin_restart("once"))
        under_way = self.lifecycle.operation("once")
        self.assertEqual(Operation.Phase.Name(under_way.phase), "UNDER_WAY",
                         "expected the command to go on without its caller")
        self.assertEqual([step.done for step in under_way.steps], [True, False],
                         "expected the stop to be done and the start not")
        self.assertFalse(under_way.HasField("end_time"))

        answers = [self.lifecycle.restart("trial", request_id="once") for _ in range(3)]
        for answer in answers:
            self.assertEqual(answer.request_id, "once")
            self.assertEqual([step.done for step in answer.steps], [True, True])
            self.assertEqual((name_of(answer.component.state), answer.component.generation),
                             ("RUNNING", 2), "expected one restart, whoever asked how often")
        ended = self.lifecycle.operation("once")
        self.assertEqual((Operation.Phase.Name(ended.phase), Operation.Command.Name(ended.command),
                          ended.component, ended.generation),
                         ("SUCCEEDED", "RESTART", "trial", 2))
        took = ended.end_time.ToNanoseconds() - ended.start_time.ToNanoseconds()
        self.assertGreater(took, 0.7e9, "expected the times of the command, not of a caller")

    def test_CallerKilledInTheMiddle_OfOneThatFails_GetsTheSameErrorLater(self):
        # Its only budget is spent by it, so that no restart follows by itself.
        self.start("--trial-start=trial:take=700ms@2", "--trial-start-timeout=600ms",
                   "--trial-max-failures=1")
        self.kill_in_the_middle(self.begin_restart("in vain"))
        errors = [self.assert_fails(grpc.StatusCode.UNAVAILABLE,
                                    lambda: self.lifecycle.restart("trial", request_id="in vain"),
                                    "a restart that fails") for _ in range(2)]
        self.lifecycle.start("trial")
        errors.append(self.assert_fails(
            grpc.StatusCode.UNAVAILABLE,
            lambda: self.lifecycle.restart("trial", request_id="in vain"), "the same later"))
        self.assertEqual(len({error.details() for error in errors}), 1, "expected one outcome")
        for words in ("trial", "FAILED", "did not start within 600ms"):
            self.assertIn(words, errors[0].details())
        operation = self.lifecycle.operation("in vain")
        self.assertEqual((Operation.Phase.Name(operation.phase), operation.status, operation.error),
                         ("FAILED", "UNAVAILABLE", errors[0].details()))
        self.assertEqual(self.lifecycle.get("trial").generation, 3, "expected no restart of it")

    def test_ManyCallersOfOneRequestId_ShareOneRestart(self):
        self.start("--trial-start=trial:take=300ms@2")
        answers = [self.lifecycle.stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", request_id="shared"), timeout=SOON)
            for _ in range(50)]
        self.assertEqual({answer.result().component.generation for answer in answers}, {2})

    def test_EqualRestartsThatWait_AreCarriedOutOnceForAll(self):
        self.start("--trial-start=trial:take=500ms@2")
        stub = self.lifecycle.stub
        first = stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", request_id="first"), timeout=SOON)
        # It is under way when it can be asked for, and for half a second more.
        self.lifecycle.wait_for_state("trial", "STARTING", generation=2)
        waiting = [stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", request_id=f"restart {number}"),
            timeout=SOON) for number in range(20)]
        self.assertEqual(first.result().component.generation, 2)
        for number, answer in enumerate(waiting):
            self.assertEqual(answer.result().request_id, f"restart {number}")
            self.assertEqual(self.lifecycle.operation(f"restart {number}").generation, 3)
        self.assertEqual(self.lifecycle.get("trial").generation, 3)

    def test_RestartsWhoseCallersGaveUp_AreNotBegun(self):
        self.start("--trial-start=trial:take=3s@2")
        stub = self.lifecycle.stub
        first = stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial"), timeout=SOON)
        self.lifecycle.wait_for_state("trial", "STARTING", generation=2)
        gone = [stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", request_id=f"restart {number}"),
            timeout=0.3) for number in range(1000)]
        for answer in gone:
            self.assertEqual(answer.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(first.result().component.generation, 2)
        self.assertEqual(self.lifecycle.restart("trial").component.generation, 3,
                         "expected none of those in between")

    def test_Commands_AreLoggedWithTheirOutcomes_AndRefusedOnesLimited(self):
        self.start()
        stub, _ = self.trial(self.host)
        self.lifecycle.pause("trial")
        self.lifecycle.resume("trial")
        blocked = stub.Delay.future(trial.DelayRequest(time=seconds(0.3)), timeout=SOON)
        self.assertIsNone(blocked.exception())
        self.lifecycle.drain("trial")
        for _ in range(50):
            with self.assertRaises(grpc.RpcError):
                self.lifecycle.stop("nobody")
        self.host.signal(signal.SIGTERM)
        self.assert_exit(self.host, 0)
        logged = [(event["command"], event["component"], event["outcome"])
                  for event in self.host.events if event.get("event") == "operation"]
        for command in ("PauseComponent", "ResumeComponent", "DrainComponent"):
            self.assertIn((command, "trial", "OK"), logged)
        refused = [each for each in logged if each[:2] == ("StopComponent", "nobody")]
        self.assertIn("NOT_FOUND", refused[0][2])
        self.assertLessEqual(len(refused), 10, "expected five in ten seconds")

    def test_RestartOfAnExpectedGeneration_HappensOnceWhoeverIsFirst(self):
        self.start()
        answers = [self.lifecycle.stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", expected_generation=1), timeout=SOON)
            for _ in range(20)]
        codes = [answer.code() for answer in answers]
        self.assertEqual(codes.count(grpc.StatusCode.OK), 1, f"expected one to win: {codes}")
        self.assertEqual(codes.count(grpc.StatusCode.ABORTED), 19)
        self.assertEqual(self.lifecycle.get("trial").generation, 2)

    def test_Stop_TakesThePlaceOfAStartThatIsUnderWay(self):
        self.start("--trial-start=trial:take=500ms@2")
        self.lifecycle.stop("trial")
        starting = self.lifecycle.stub.StartComponent.future(
            lifecycle.StartComponentRequest(name="trial", request_id="first"), timeout=SOON)
        self.lifecycle.wait_for_state("trial", "STARTING")
        stopped = self.lifecycle.stop("trial", request_id="second")
        self.assertEqual(name_of(stopped.component.state), "STOPPED")
        self.assertEqual(starting.code(), grpc.StatusCode.ABORTED, starting.details())
        self.assertIn("trial", starting.details())
        self.assertEqual(self.lifecycle.operation("first").status, "ABORTED")
        self.assertEqual(self.lifecycle.state("trial"), "STOPPED")

    def test_StartAndStopFromMany_EndWhereTheLastOneSays(self):
        self.start()

        def churn():
            for _ in range(30):
                for command in (self.lifecycle.stop, self.lifecycle.start, self.lifecycle.restart):
                    try:
                        command("trial")
                    except grpc.RpcError as error:
                        codes.append(error.code())

        codes = []
        threads = [threading.Thread(target=churn) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertLessEqual(set(codes), {grpc.StatusCode.ABORTED},
                             "expected no other failure than that of a later command")
        self.assertEqual(name_of(self.lifecycle.start("trial").component.state), "RUNNING")
        self.assertEqual(name_of(self.lifecycle.stop("trial").component.state), "STOPPED")

    def test_CommandThatWaitsForAnother_CanBeAskedFor(self):
        self.start("--trial-start=trial:take=500ms@2")
        calls = [self.lifecycle.stub.RestartComponent.future(
            lifecycle.RestartComponentRequest(name="trial", request_id=request_id), timeout=SOON)
            for request_id in ("first", "second")]
        self.lifecycle.wait_for_state("trial", "STARTING", generation=2)
        self.assertTrue(self.is_known("first"))
        self.assertTrue(self.is_known("second"), "expected a command that waits to be known")
        self.assertEqual([call.result().component.generation for call in calls], [2, 3])

    def test_CallerWhoseDeadlinePasses_DoesNotEndTheCommand(self):
        self.start("--trial-start=trial:take=500ms@2")
        self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                          lambda: self.lifecycle.restart("trial", timeout=0.2, request_id="mine"),
                          "an impatient caller")
        self.lifecycle.wait_for_state("trial", "RUNNING", generation=2)
        self.assertEqual(self.lifecycle.restart("trial", request_id="mine").component.generation, 2)

    def test_TheLastThousand_AreRemembered(self):
        self.start()
        calls = [self.lifecycle.stub.StartComponent.future(lifecycle.StartComponentRequest(
            name="trial", request_id=str(number)), timeout=SOON) for number in range(REMEMBERED)]
        for call in calls:
            call.result()
        self.assertEqual(self.lifecycle.operation("0").request_id, "0")
        self.lifecycle.start("trial", request_id="one more")
        self.lifecycle.start("trial", request_id="and one")
        known = sum(self.is_known(str(number)) for number in range(5))
        self.assertEqual(known, 3, "expected the two that ended first to be forgotten")
        self.assertTrue(self.is_known("one more"))

    def is_known(self, request_id):
        try:
            return self.lifecycle.operation(request_id).request_id == request_id
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)
