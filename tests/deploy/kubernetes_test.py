"""The manifests, without a cluster: they build, they add up, and a real host answers their probes."""

import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "blackbox")]

from harness import places  # pylint: disable=wrong-import-position
from harness.case import SERVING, HostTestCase  # pylint: disable=wrong-import-position
from harness.client import SOON  # pylint: disable=wrong-import-position
from harness.protos import clock, health  # pylint: disable=wrong-import-position

MANIFESTS = places.REPOSITORY / "deploy" / "kubernetes"
# server/config/host_config.h: stop_timeout and exit_margin.
STOP, EXIT_MARGIN = 5, 5


def seconds(text):
    """A time as the configuration has it."""
    return float(text.removesuffix("s"))


class Overlay:
    """What `kustomize build` makes of an overlay, by kind and name."""

    def __init__(self, name):
        done = subprocess.run(["kustomize", "build", str(MANIFESTS / "overlays" / name)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        self.objects = {(each["kind"], each["metadata"]["name"]): each
                        for each in yaml.safe_load_all(done.stdout)}
        self.pod = self["Deployment"]["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]
        (self.configs,) = (each for (kind, name), each in self.objects.items()
                           if kind == "ConfigMap" and name.startswith("mainspring-config-"))
        self.config_text = self.configs["data"]["mainspring.yaml"]
        self.config = yaml.safe_load(self.config_text)

    def __getitem__(self, kind):
        return self.objects[kind, "mainspring"]


class Manifests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("kustomize") is None:
            raise unittest.SkipTest("SKIPPED, nothing was tested: there is no kustomize")
        cls.overlays = {name: Overlay(name) for name in ("production", "development")}

    def test_Production_HasAllThatKeepsItServing(self):
        overlay = self.overlays["production"]
        self.assertEqual(set(overlay.objects), {
            ("Namespace", "mainspring"), ("ServiceAccount", "mainspring"),
            ("Deployment", "mainspring"), ("Service", "mainspring"),
            ("ConfigMap", overlay.configs["metadata"]["name"]),
            ("Service", "mainspring-headless"), ("NetworkPolicy", "mainspring"),
            ("PodDisruptionBudget", "mainspring"), ("HorizontalPodAutoscaler", "mainspring")})
        self.assertNotIn("replicas", overlay["Deployment"]["spec"], "the autoscaler decides")
        self.assertEqual(overlay["Deployment"]["spec"]["strategy"]["rollingUpdate"],
                         {"maxUnavailable": 0, "maxSurge": 1})

    def test_Development_HasOneReplicaAndNoLameDuck(self):
        overlay = self.overlays["development"]
        self.assertEqual(overlay["Deployment"]["spec"]["replicas"], 1)
        self.assertEqual(overlay.config["drain"]["lame_duck"], "0s")
        self.assertNotIn(("HorizontalPodAutoscaler", "mainspring"), overlay.objects)

    def test_TerminationGracePeriod_CoversTheDrain(self):
        for overlay in self.overlays.values():
            drain = overlay.config["drain"]
            self.assertGreaterEqual(
                overlay.pod["terminationGracePeriodSeconds"],
                seconds(drain["lame_duck"]) + seconds(drain["timeout"]) + STOP + EXIT_MARGIN)
            self.assertIn({"name": "MAINSPRING_GRACE_PERIOD",
                           "value": f"{overlay.pod['terminationGracePeriodSeconds']}s"},
                          overlay.container["env"])

    def test_TheConfiguration_IsMountedAndRight(self):
        for overlay in self.overlays.values():
            (argument,) = overlay.container["args"]
            mount, name = argument.removeprefix("--config=").rsplit("/", 1)
            self.assertIn(name, overlay.configs["data"])
            self.assertEqual([(each["name"], each["mountPath"])
                              for each in overlay.container["volumeMounts"]], [("config", mount)])
            self.assertEqual(overlay.pod["volumes"], [
                {"name": "config", "configMap": {"name": overlay.configs["metadata"]["name"]}}])
            done = subprocess.run([places.MAINSPRINGD, "--check", "--config=/dev/stdin"],
                                  input=overlay.config_text, capture_output=True, text=True,
                                  check=False, env={"MAINSPRING_GRACE_PERIOD": "60s"})
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_LameDuck_IsLongerThanReadinessTakesToTell(self):
        overlay = self.overlays["production"]
        probe = overlay.container["readinessProbe"]
        self.assertGreater(seconds(overlay.config["drain"]["lame_duck"]),
                           probe["periodSeconds"] * probe["failureThreshold"])

    def test_Pod_IsRestricted(self):
        for overlay in self.overlays.values():
            self.assertFalse(overlay.pod["automountServiceAccountToken"])
            self.assertTrue(overlay.pod["securityContext"]["runAsNonRoot"])
            self.assertEqual(overlay.pod["securityContext"]["seccompProfile"],
                             {"type": "RuntimeDefault"})
            context = overlay.container["securityContext"]
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
            self.assertTrue(context["readOnlyRootFilesystem"])
            self.assertFalse(context["allowPrivilegeEscalation"])
            labels = overlay["Namespace"]["metadata"]["labels"]
            self.assertEqual(labels["pod-security.kubernetes.io/enforce"], "restricted")

    def test_Selectors_FindThePods(self):
        for overlay in self.overlays.values():
            labels = overlay["Deployment"]["spec"]["template"]["metadata"]["labels"]
            ports = {port["name"] for port in overlay.container["ports"]}
            for name in ("mainspring", "mainspring-headless"):
                service = overlay.objects["Service", name]["spec"]
                self.assertLessEqual(service["selector"].items(), labels.items())
                self.assertIn(service["ports"][0]["targetPort"], ports)
            policy = overlay["NetworkPolicy"]["spec"]
            self.assertLessEqual(policy["podSelector"]["matchLabels"].items(), labels.items())

    def test_AHostWithThisConfiguration_AnswersEveryProbe(self):
        for overlay in self.overlays.values():
            path = places.socket_directory(self) / "mainspring.yaml"
            path.write_text(overlay.config_text, encoding="utf-8")
            host = self.start_host(f"--config={path}", "--probe-address=127.0.0.1:0")
            stub = health.stub(self.connect(host.addresses("probe")[0]), "Health")
            port = int(overlay.config["planes"]["probe"]["addresses"][0].rsplit(":", 1)[1])
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = overlay.container[kind]["grpc"]
                self.assertEqual(probe["port"], port, "expected the probe plane's")
                self.assertEqual(self.check(stub, probe["service"]), SERVING, kind)

    def test_TheClientsServiceConfig_IsTakenAndWorks(self):
        config = (MANIFESTS / "client" / "service_config.json").read_text()
        host = self.start_host()
        channel = self.connect(host.data, ("grpc.service_config", config))
        stub = clock.stub(channel, "Clock")
        self.assertTrue(stub.GetTime(clock.GetTimeRequest(), timeout=SOON).rfc3339)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
