"""The configuration file: checked whole, shown, explained, and served by a real host."""

import os
import subprocess
import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import clock

CONFIG_ERROR, USAGE = 78, 64

TWELVE = """\
planes:
  data:
    adresses: ["127.0.0.1:0"]
    limits:
      max_calls: 0
      max_message_bytes: 4MB
  admin:
    addresses: ["0.0.0.0:50052"]
drain:
  timeout: 5
log:
  format: yaml
components:
  - name: no
    type: clock
  - name: b
    type: clok
    depends_on:
      - component: clocks
  - name: clock
    config:
      least_watch_interval: 1ms
  - name: clock
    essential: yes
limits:
  event_history: 0o17
"""

# Where each of its mistakes is, and what is said of it.
TWELVE_TOLD = (
    (3, 5, 'planes.data.adresses: is not known; did you mean "addresses"?'),
    (5, 7, "planes.data.limits.max_calls: 0 is less than 1"),
    (6, 26, 'planes.data.limits.max_message_bytes: "4MB" is not a size, such as 64KiB or 4MiB'),
    (8, 17, "planes.admin.addresses[0]: 0.0.0.0:50052 is open to other machines, and not encrypted; "
            "use a unix socket or 127.0.0.1"),
    (10, 12, 'drain.timeout: "5" lacks its unit; write 5s, or with ms, m or h'),
    (12, 11, 'log.format: "yaml" is none of text, json'),
    (14, 11, 'components[no].name: "no" is text here, and not for every reader of YAML; write it in '
             "quotes"),
    (17, 5, 'components[b].type: no component type "clok"; did you mean "clock"?; there are: clock'),
    (19, 9, 'components[b].depends_on[0].component: "clocks" is no component; did you mean "clock"?'),
    (22, 7, "components[clock].config.least_watch_interval: 1ms is less than 10ms"),
    (23, 5, 'components[3].name: two components are called "clock"'),
    (24, 16, 'components[3].essential: "yes" is neither true nor false; write true'),
    (26, 18, 'limits.event_history: "0o17" is not a whole number; write it in decimal digits alone, '
             "such as 1000"),
)


def run(*arguments, binary=places.MAINSPRINGD, text=None, environment=None):
    """(exit code, standard output, standard error) of a host that is to end by itself."""
    done = subprocess.run([binary, *arguments], input=text, capture_output=True, text=True,
                          timeout=SOON, check=False, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


class ConfigFileTestCase(HostTestCase):
    def file(self, text, name="host.yaml"):
        path = places.socket_directory(self) / name
        path.write_text(text, encoding="utf-8")
        return str(path)


class Check(ConfigFileTestCase):
    def check(self, text, *flags, **options):
        """(exit code, what is said of each line, without the path of the file)."""
        path = self.file(text)
        code, _, errors = run("--check", f"--config={path}", *flags, **options)
        return code, errors.replace(path, "FILE").splitlines()

    def test_AFileWithManyMistakes_TellsEachInItsPlace(self):
        code, lines = self.check(TWELVE)
        self.assertEqual(code, CONFIG_ERROR)
        self.assertEqual(lines, [f"FILE:{line}:{column}: {what}"
                                 for line, column, what in TWELVE_TOLD])

    def test_AFileThatIsRight_IsFound(self):
        self.assertEqual(self.check("components:\n  - name: clock\n"), (0, []))
        self.assertEqual(self.check(""), (0, []))

    def test_WhatIsNotYaml_IsToldBesideWhatCameBefore(self):
        code, lines = self.check("drain:\n  timout: 5s\nlog: [text\nlimits: x\n")
        self.assertEqual(code, CONFIG_ERROR)
        self.assertEqual(lines[:2], ['FILE:2:3: drain.timout: is not known; did you mean "timeout"?',
                                     "FILE:3:6: log: has fields, and not a list"])
        self.assertRegex(lines[2], r"^FILE:[34]:\d+: is not YAML: ")
        self.assertEqual(len(lines), 3, f"expected no mistakes that follow from it: {lines}")

    def test_TimesThatContradictEachOther_AreMistakesOfAFileThatSaysThem(self):
        code, lines = self.check("drain:\n  timeout: 20s\n")
        self.assertEqual(code, CONFIG_ERROR)
        self.assertRegex(lines[0], r"^FILE:2:3: drain.timeout: max_connection_age, 30s give or take a "
                                   r"tenth, is not below drain.timeout, 20s: ")
        code, lines = self.check("drain: {grace_period: 30s}\n")
        self.assertEqual(code, CONFIG_ERROR)
        self.assertRegex(lines[0], r"^FILE:1:9: drain.grace_period: a drain may take 5\d(\.\d+)?s, and "
                                   r"after 30s the host is killed")
        code, lines = self.check("components: [{name: clock, stall_limit: 5s}]\n")
        self.assertRegex(lines[0], r"^FILE:1:28: components\[clock\].stall_limit: stall_warning, 10s, "
                                   r"is above stall_limit, 5s: ")

    def test_AGracePeriodOfTheEnvironment_IsAWarning(self):
        code, lines = self.check("", environment={"MAINSPRING_GRACE_PERIOD": "10s"})
        self.assertEqual(code, 0)
        self.assertRegex(lines[0], r"warning: drain.grace_period: a drain may take ")
        code, lines = self.check("", environment={"MAINSPRING_GRACE_PERIOD": "ten"})
        self.assertEqual(code, CONFIG_ERROR)
        self.assertIn("MAINSPRING_GRACE_PERIOD in the environment", lines[0])

    def test_FlagsThatContradictEachOther_AreNone(self):
        self.assertEqual(self.check("", "--drain-timeout=1s")[0], 0)
        self.assertEqual(run("--check")[0], 0)

    def test_AFileThatCannotBeRead_SaysWhy(self):
        code, _, errors = run("--check", "--config=/no/such.yaml")
        self.assertEqual((code, errors), (CONFIG_ERROR, "/no/such.yaml: cannot be read: No such file "
                                                        "or directory\n"))
        self.assertEqual(run("--config=")[0], USAGE)

    def test_WhatStandsForASecret_IsNeverShown(self):
        path = self.file("4711-not-a-time", "secret")
        code, lines = self.check(f"drain:\n  timeout: ${{file:{path}}}\nlog: {{format: \"${{FMT}}\"}}\n",
                                 environment={"FMT": "hunter2"})
        self.assertEqual(code, CONFIG_ERROR)
        self.assertEqual(len(lines), 2)
        self.assertNotRegex("\n".join(lines), "4711|hunter2")

    def test_ARunningHost_IsRefusedTheSameFile(self):
        path = self.file(TWELVE)
        code, _, errors = run(f"--config={path}")
        self.assertEqual(code, CONFIG_ERROR)
        self.assertEqual(len(errors.splitlines()), len(TWELVE_TOLD))


class Schema(ConfigFileTestCase):
    def test_TheSchema_IsAFileThatIsRight(self):
        code, schema, errors = run("--print-schema")
        self.assertEqual((code, errors), (0, ""))
        code, output, errors = run("--check", "--config=/dev/stdin", text=schema)
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("the configuration is right", output)
        # And it says what holds without it.
        path = self.file(schema)
        shown = [line.split("  #")[0] for line in run("--print-config")[1].splitlines()]
        with_schema = [line.split("  #")[0]
                       for line in run("--print-config", f"--config={path}")[1].splitlines()
                       if "config:" not in line and "time_zone" not in line]
        self.assertEqual(with_schema, shown)

    def test_TheSchema_HasEveryFieldOfTheProtoWithWhatItIs(self):
        schema = run("--print-schema")[1]
        proto = (places.REPOSITORY / "protos/mainspring/host/v1/host.proto").read_text()
        fields = 0
        for line in proto.splitlines():
            words = line.split("=")[0].split()
            if line.startswith("  ") and len(words) in (2, 3) and words[0] != "//" and \
                    "=" in line and line.split("=")[1].strip()[:1].isdigit() and \
                    words[-1].islower():
                fields += 1
                self.assertRegex(schema, rf"(?m)^[ #-]*{words[-1]}:", f"expected {words[-1]}")
        self.assertGreater(fields, 60)
        lines = [line.strip(" #-") for line in schema.splitlines()]
        values = [number for number, line in enumerate(lines)
                  if ": " in line and line.split(":")[0].isidentifier() and line[0].islower()]
        self.assertGreater(len(values), 80)


class Show(ConfigFileTestCase):
    def test_TheConfiguration_TellsWhereEachValueIsFrom(self):
        path = self.file("drain:\n  lame_duck: 7s\n  timeout: 50s\n")
        code, shown, errors = run("--print-config", f"--config={path}", "--drain-timeout=40s")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn(f"  lame_duck: 7s  # {path}:2\n", shown)
        self.assertIn("  timeout: 40s  # --drain-timeout\n", shown)
        self.assertIn("  exit_margin: 5s  # default\n", shown)

    def test_WhatIsShown_IsTheSameConfigurationAgain(self):
        path = self.file("planes: {probe: {addresses: [\"127.0.0.1:1\"]}}\ncomponents:\n"
                         "  - {name: clock, config: {time_zone: Asia/Tokyo}}\n"
                         "  - {name: other, type: clock, depends_on: [{component: clock, hard: false}]}\n")
        values = lambda text: [line.split("  #")[0] for line in text.splitlines()]
        shown = run("--print-config", f"--config={path}")[1]
        again = run("--print-config", f"--config={self.file(shown, 'again.yaml')}")[1]
        self.assertEqual(values(again), values(shown))
        self.assertIn("      time_zone: Asia/Tokyo", values(shown))


class Serve(ConfigFileTestCase):
    def get_time(self, host, component):
        stub = clock.stub(self.connect(host.data), "Clock")
        return stub.GetTime(clock.GetTimeRequest(), timeout=SOON,
                            metadata=(("mainspring-component", component),))

    def test_AHostWithAFile_RunsWhatItSays(self):
        path = self.file(
            "log: {format: json}\n"
            "components:\n"
            "  - name: tokyo\n    type: clock\n    config: {time_zone: Asia/Tokyo, offset: 1h}\n"
            "  - name: plain\n    type: clock\n    depends_on: [{component: tokyo}]\n")
        host = self.start_host(f"--config={path}")
        self.assertEqual(self.get_time(host, "tokyo").time_zone, "Asia/Tokyo")
        self.assertEqual(self.get_time(host, "plain").time_zone, "UTC")
        apart = (self.get_time(host, "tokyo").time.ToDatetime()
                 - self.get_time(host, "plain").time.ToDatetime()).total_seconds()
        self.assertAlmostEqual(apart, 3600, delta=60)
        self.assertTrue(host.lines[0].startswith("{"), "expected the log to be JSON")
        self.assertEqual(self.operator(host).states(), {"tokyo": "RUNNING", "plain": "RUNNING"})

    def test_ASectionThatItsComponentRefuses_StopsTheStart(self):
        path = self.file("components: [{name: clock, config: {time_zone: Mars/Olympus}}]\n")
        host = self.launch_host(f"--config={path}")
        self.assertEqual(host.wait(SOON), 69)
        self.assertIn("config: ", host.transcript())
        self.assertIn("Mars/Olympus", host.transcript())

    def test_TheRestartPolicyOfAFile_Holds(self):
        path = self.file("components:\n  - name: trial\n    essential: false\n"
                         "    restart: {max_failures: 2, least_backoff: 10ms}\n")
        host = self.start_host(f"--config={path}", "--trial-start=trial:fail",
                               binary=places.TRIAL_HOST)
        host.wait_for_line(lambda line: "to=FAILED" in line and "the 2nd failure" in line,
                           "the second failure to be the last")


if __name__ == "__main__":
    unittest.main()
