"""A rolling restart of three hosts under traffic loses no call."""

import signal
import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON, channel
from harness.protos import trial
from harness.traffic import Traffic

HOSTS = 3
RESTARTS = 6
CALLS_PER_SECOND = 250  # each of two clients
FLAGS = ("--max-connection-age=1s", "--lame-duck=1s", "--drain-timeout=5s")


class RollingRestart(HostTestCase):
    def setUp(self):
        self.ports = places.fixed_ports(HOSTS)
        self.hosts = [self.start(number) for number in range(HOSTS)]

    def start(self, number):
        """Host `number`, with one component that has the host's name."""
        return self.start_trial_host(*FLAGS, f"--trials={self.name(number)}",
                                     data=f"127.0.0.1:{self.ports[number]}")

    def name(self, number):
        return f"host{number}"

    def start_client(self, policy):
        """Traffic from one channel over all hosts, each answer counted by the host it came from."""
        address = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in self.ports)
        config = f'{{"loadBalancingConfig":[{{"{policy}":{{}}}}]}}'
        connection = channel(address, ("grpc.service_config", config))
        self.addCleanup(connection.close)
        stub = trial.stub(connection, "Trial")
        request = trial.EchoRequest(text="hello")
        traffic = Traffic(lambda: stub.Echo.future(request, timeout=SOON), CALLS_PER_SECOND,
                          most_seconds=170, name_answer=lambda response: response.component)
        self.addCleanup(traffic.stop)
        return traffic

    def test_ThreeHosts_RestartedSixTimesEach_LoseNoCall(self):
        clients = {policy: self.start_client(policy) for policy in ("round_robin", "pick_first")}
        for number in range(HOSTS):
            self.wait_until_called(clients, number)
        for _ in range(RESTARTS):
            for number in range(HOSTS):
                self.hosts[number].signal(signal.SIGTERM)
                self.assert_exit(self.hosts[number], 0)
                self.hosts[number] = self.start(number)
                self.wait_until_called(clients, number)

        for policy, traffic in clients.items():
            calls, ran = traffic.stop()
            print(f"{policy}: {calls} calls in {ran:.0f} s, {calls / ran:.0f}/s, "
                  f"{len(traffic.failures)} failed, {dict(sorted(traffic.answers.items()))}")
        for policy, traffic in clients.items():
            self.assertEqual(traffic.failures[:10], [],
                             f"expected no failed call of {policy}; the first ten")
            self.assertGreater(sum(traffic.answers.values()), 5000, f"expected traffic of {policy}")

    def wait_until_called(self, clients, number):
        """The balancing client has found the host again, and the other one is served somewhere."""
        clients["round_robin"].wait_for_answers(self.name(number), 5, f"calls to host {number}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
