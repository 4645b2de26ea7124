"""The listening sockets: TCP and unix, several a plane, and whose they are."""

import os
import pathlib
import signal
import socket
import stat
import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON
from harness.host import run_to_end, target
from harness.protos import clock

ADDRESS_FAILURE = 74


class Sockets(HostTestCase):
    def setUp(self):
        self.directory = places.socket_directory(self)
        self.path = self.directory / "data.sock"
        self.unix = f"unix:{self.path}"

    def assert_answers(self, address):
        stub = clock.stub(self.connect(address), "Clock")
        answer = stub.GetTime(clock.GetTimeRequest(), timeout=SOON)
        self.assertTrue(answer.rfc3339, f"expected the clock to answer at {address}")

    def assert_refused(self, *flags, naming):
        """The host must end at once, with 74 and one line that has every one of `naming`."""
        code, _, lines = run_to_end(*flags)
        self.assertEqual(code, ADDRESS_FAILURE, f"expected exit 74, log: {lines}")
        self.assertEqual(len(lines), 1, f"expected one line, got {lines}")
        for words in naming:
            self.assertIn(words, lines[0], "expected the line to say what and where")

    def test_UnixSocket_AsDataPlane_Serves(self):
        host = self.start_host(data=self.unix)
        self.assertEqual(host.addresses("data"), [self.unix], "expected the log to name the socket")
        self.assert_answers(self.unix)

    def test_SeveralAddresses_AllServe(self):
        host = self.start_host(data=f"127.0.0.1:0,{self.unix},127.0.0.1:0")
        addresses = host.addresses("data")
        self.assertEqual(len(set(addresses)), 3, f"expected three listeners, got {addresses}")
        for address in addresses:
            self.assert_answers(address)

    def test_BlanksAfterCommas_AreNoPartOfAnAddress(self):
        host = self.start_host(data=f"127.0.0.1:0, {self.unix}")
        self.assertIn(self.unix, host.addresses("data"))
        self.assert_answers(self.unix)

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "no IPv6 here")
    def test_EveryAddressOfBothFamilies_ServesHoweverItIsWritten(self):
        for addresses in ("*:{0}", "[::]:{0}", "[::]:{0},0.0.0.0:{0}", "0.0.0.0:{0}, [::]:{0}"):
            port = places.fixed_ports(1)[0]
            self.start_host(data=addresses.format(port))
            self.assert_answers(f"ipv4:127.0.0.1:{port}")
            self.assert_answers(f"ipv6:[::1]:{port}")

    def test_FolderInThePlaceOfASocket_IsNamed(self):
        self.assert_refused(f"--data-address=unix:{self.directory}",
                            f"--admin-address={self.other_admin()}",
                            naming=("data", str(self.directory), "folder"))

    def test_RunDirectoryThatOthersMayWrite_IsRefused(self):
        os.chmod(self.directory, 0o777)
        host = self.launch_host(admin="unix:admin.sock",
                                environment={"RUNTIME_DIRECTORY": str(self.directory)})
        self.assertEqual(host.wait(), ADDRESS_FAILURE)
        self.assertEqual(len(host.lines), 1, host.lines)
        for words in ("run directory", str(self.directory), "0777"):
            self.assertIn(words, host.lines[0])

    def test_TwoHostsThatRaceForAStaleSocket_OneServes(self):
        for _ in range(10):
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(self.path))
            racers = [self.launch_host(data=self.unix) for _ in range(3)]
            lines = [racer.wait_for_line(
                lambda line: "event=serving" in line or "already in use" in line, "its fate")
                for racer in racers]
            serving = [racer for racer, line in zip(racers, lines) if "event=serving" in line]
            self.assertEqual(len(serving), 1, f"expected one to serve: {lines}")
            self.assert_answers(self.unix)
            for racer in racers:
                if racer not in serving:
                    self.assertEqual(racer.wait(), ADDRESS_FAILURE)
            self.assert_answers(self.unix)
            serving[0].signal(signal.SIGTERM)
            self.assertIn(serving[0].wait(), (0, 75))
            self.assertEqual(list(self.directory.iterdir()), [], "expected nothing to be left")

    def test_AdminSocket_IsForItsOwnerAlone(self):
        host = self.start_host()
        mode = os.stat(host.admin.removeprefix("unix:")).st_mode
        self.assertTrue(stat.S_ISSOCK(mode), "expected a socket")
        self.assertEqual(oct(stat.S_IMODE(mode)), "0o600", "expected mode 0600")

    def test_Sockets_AreRemovedAtExit(self):
        host = self.start_host(data=self.unix)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)
        self.assertFalse(self.path.exists(), "expected the socket file to go with its host")

    def test_StaleSocketFile_IsReplaced(self):
        first = self.start_host(data=self.unix)
        first.signal(signal.SIGKILL)
        first.wait()
        self.assertTrue(self.path.exists(), "expected a killed host to leave its socket file")
        self.start_host(data=self.unix)
        self.assert_answers(self.unix)

    def test_LiveSocket_IsNotTakenAway(self):
        self.start_host(data=self.unix)
        self.assert_refused(f"--data-address={self.unix}", f"--admin-address={self.other_admin()}",
                            naming=("data", str(self.path)))
        self.assert_answers(self.unix)

    def test_FileThatIsNoSocket_IsNotTouched(self):
        self.path.write_text("precious")
        self.assert_refused(f"--data-address={self.unix}", f"--admin-address={self.other_admin()}",
                            naming=("data", str(self.path)))
        self.assertEqual(self.path.read_text(), "precious", "expected the file to be left alone")

    def test_PortInUse_IsOneLineNamingPlaneAndAddress(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused(f"--data-address={address}",
                                f"--admin-address={self.other_admin()}",
                                naming=("data", address, "in use"))
            self.assert_refused("--data-address=127.0.0.1:0", f"--admin-address={address}",
                                naming=("admin", address, "in use"))

    def test_PortOfAnotherHost_IsInUse(self):
        host = self.start_host()
        address = host.data.removeprefix("ipv4:")
        self.assert_refused(f"--data-address={address}", f"--admin-address={self.other_admin()}",
                            naming=("data", address, "in use"))
        self.assert_answers(target(address))

    def test_AddressThatCannotBeBound_IsNamedWithTheReason(self):
        nowhere = f"unix:{self.directory}/no/such/directory.sock"
        # 192.0.2.1 is an address for documentation: no machine has it.
        for address, reason in (("192.0.2.1:50051", "assign"), (nowhere, "No such file")):
            with self.subTest(address=address):
                self.assert_refused(
                    f"--data-address={address}", f"--admin-address={self.other_admin()}",
                    naming=("data", address.removeprefix("unix:")))
                _, _, [line] = run_to_end(f"--data-address={address}",
                                          f"--admin-address={self.other_admin()}")
                self.assertIn(reason.lower(), line.lower(), "expected the system's reason")

    @unittest.skipIf(os.geteuid() == 0, "root may bind every port")
    def test_PrivilegedPort_IsOneLineWithTheReason(self):
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first <= 1:
            self.skipTest("every port is for everybody here")
        self.assert_refused("--data-address=127.0.0.1:1", f"--admin-address={self.other_admin()}",
                            naming=("data", "127.0.0.1:1", "ermission"))

    def other_admin(self):
        return f"unix:{self.directory}/other-admin.sock"


if __name__ == "__main__":
    unittest.main(verbosity=2)
