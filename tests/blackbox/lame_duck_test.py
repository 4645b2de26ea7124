"""A client that watches health loses no call when an operator stops or drains a component."""

import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON, channel
from harness.protos import trial
from harness.traffic import Traffic

CALLS_PER_SECOND = 400
ROUNDS = 5
SERVICE = "mainspring.trial.v1.Trial"


class LameDuck(HostTestCase):
    def setUp(self):
        ports = places.fixed_ports(2)
        self.hosts = [self.start_trial_host(f"--trials=host{number}", data=f"127.0.0.1:{port}")
                      for number, port in enumerate(ports)]
        self.operators = [self.operator(host) for host in self.hosts]
        address = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        config = ('{"loadBalancingConfig":[{"round_robin":{}}],'
                  f'"healthCheckConfig":{{"serviceName":"{SERVICE}"}}}}')
        connection = channel(address, ("grpc.service_config", config))
        self.addCleanup(connection.close)
        stub = trial.stub(connection, "Trial")
        request = trial.EchoRequest(text="hello")
        self.traffic = Traffic(lambda: stub.Echo.future(request, timeout=SOON), CALLS_PER_SECOND,
                               most_seconds=120, name_answer=lambda response: response.component)
        self.addCleanup(self.traffic.stop)
        for number in range(2):
            self.wait_until_called(number)

    def wait_until_called(self, number):
        self.traffic.wait_for_answers(f"host{number}", 20, f"calls to host {number}")

    def assert_no_call_lost(self):
        calls, ran = self.traffic.stop()
        print(f"{calls} calls in {ran:.0f} s, {len(self.traffic.failures)} failed, "
              f"{dict(sorted(self.traffic.answers.items()))}")
        self.assertEqual(self.traffic.failures[:10], [], "expected no failed call; the first ten")

    def test_ComponentThatIsStopped_LosesNoCall(self):
        for turn in range(ROUNDS):
            number = turn % 2
            self.operators[number].stop(f"host{number}")
            self.wait_until_called(1 - number)
            self.operators[number].start(f"host{number}")
            self.wait_until_called(number)
        self.assert_no_call_lost()

    def test_ComponentThatIsDrained_LosesNoCall(self):
        for turn in range(ROUNDS):
            number = turn % 2
            self.operators[number].drain(f"host{number}")
            self.wait_until_called(1 - number)
            self.operators[number].undrain(f"host{number}")
            self.wait_until_called(number)
        self.assert_no_call_lost()

    def test_ComponentThatIsRestarted_LosesNoCall(self):
        for turn in range(ROUNDS):
            number = turn % 2
            self.operators[number].restart(f"host{number}")
            self.wait_until_called(number)
        self.assert_no_call_lost()


if __name__ == "__main__":
    unittest.main(verbosity=2)
