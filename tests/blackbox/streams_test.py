"""Streams of all kinds through the mailbox, and a client that does not read."""

import pathlib
import queue
import time
import unittest

import grpc

from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import trial

MIB = 1024 * 1024


class Streams(HostTestCase):
    def setUp(self):
        self.host = self.start_trial_host()
        self.stub, self.health = self.trial(self.host)

    def test_Sum_AddsUpWhatTheClientSends(self):
        answer = self.stub.Sum((trial.SumRequest(value=n) for n in range(1, 1001)), timeout=SOON)
        self.assertEqual((answer.sum, answer.count), (500500, 1000), "expected 1 + 2 + ... + 1000")

    def test_Sum_OfNothing_IsZero(self):
        answer = self.stub.Sum(iter(()), timeout=SOON)
        self.assertEqual((answer.sum, answer.count), (0, 0), "expected an empty sum")

    def test_Parrot_AnswersEachMessageBeforeTheNext(self):
        said = queue.Queue()
        heard = self.stub.Parrot(iter(said.get, None), timeout=SOON)
        for number in range(100):
            said.put(trial.ParrotRequest(text=f"message {number}"))
            self.assertEqual(next(heard).text, f"message {number}",
                             "expected to hear what was said")
        said.put(None)
        self.assertEqual(list(heard), [], "expected the stream to end after the client's end")
        self.assertEqual(heard.code(), grpc.StatusCode.OK, "expected the stream to end OK")

    def test_Parrot_CancelledByTheClient_LeavesTheComponentServing(self):
        for _ in range(20):
            said = queue.Queue()
            heard = self.stub.Parrot(iter(said.get, None), timeout=SOON)
            said.put(trial.ParrotRequest(text="hello"))
            self.assertEqual(next(heard).text, "hello", "expected the stream to work")
            heard.cancel()
            said.put(None)
        self.assert_serves()

    def test_Flood_ArrivesWholeAndInOrder(self):
        flood = self.stub.Flood(trial.FloodRequest(count=5000, bytes=1000), timeout=30)
        lengths = []
        for number, message in enumerate(flood):
            self.assertEqual(message.number, number, "expected every message once and in order")
            lengths.append(len(message.filling))
        self.assertEqual(lengths, [1000] * 5000, "expected 5000 messages of 1000 bytes")

    def test_Flood_ToAClientThatDoesNotRead_HoldsABoundedBuffer(self):
        before = self.resident_bytes()
        flood = self.stub.Flood(trial.FloodRequest(count=100_000, bytes=10_000), timeout=60)
        first = next(flood)  # it runs; from here on, nobody reads
        self.assertEqual(first.number, 0, "expected the first message first")
        accepted = self.wait_until_flood_stands_still()
        grown = self.resident_bytes() - before
        print(f"a flood of 1 GB that nobody reads: {accepted} messages of 10 kB accepted, "
              f"host grown by {grown / MIB:.1f} MiB")
        self.assertLess(accepted * 10_000, 16 * MIB, "expected a bounded buffer, not the flood")
        self.assertLess(grown, 64 * MIB, "expected the host not to hold the flood")
        self.assert_serves()
        numbers = [next(flood).number for _ in range(2000)]
        self.assertEqual(numbers, list(range(1, 2001)),
                         "expected the flood to go on where it stood")
        flood.cancel()
        self.assert_serves()

    def wait_until_flood_stands_still(self):
        """The count of accepted messages, once it is the same at 20 looks in a row."""
        deadline, last, same = time.monotonic() + SOON, -1, 0
        while same < 20:
            self.assertLess(time.monotonic(), deadline, "expected the flood to stand still")
            request = trial.CountDispatchedRequest()
            accepted = self.stub.CountDispatched(request, timeout=SOON).flood_accepted
            last, same = accepted, same + 1 if accepted == last else 0
        return last

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.host.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def assert_serves(self):
        answer = self.stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON)
        self.assertEqual(answer.text, "hello", "expected the component to serve")


if __name__ == "__main__":
    unittest.main(verbosity=2)
