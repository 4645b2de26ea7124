"""A Kubernetes of one node on this machine, of real parts, in namespaces of its own.

etcd, containerd, runc and the CNI plugins are Debian's; kube-apiserver, controller manager, scheduler,
kubelet, kube-proxy and kubectl are built from the published module, see parts/. Everything lives in a
pid, mount, network and cgroup namespace whose first process is this program: when it goes, so does
all the rest. Needs root.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import control_groups

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
BIN = REPOSITORY / ".cache" / "kubernetes" / "bin"
PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy",
         "kubectl")
VERSION = "1.33.4"
DNS_VERSION = "1.12.0"

NODE = "10.88.0.1"
NODE_NAME = "node"
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"
_INSIDE = "MAINSPRING_CLUSTER_WORK"


def build_parts():
    """The programs of Kubernetes, built once, which takes some ten minutes."""
    BIN.mkdir(parents=True, exist_ok=True)
    major, minor, _ = VERSION.split(".")
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in (
        ("gitVersion", f"v{VERSION}"), ("gitMajor", major), ("gitMinor", minor)))
    for part in PARTS:
        if (BIN / part).exists():
            continue
        print(f"building {part} {VERSION}", flush=True)
        subprocess.run(["go", "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o",
                        BIN / part, f"k8s.io/kubernetes/cmd/{part}"],
                       cwd=HERE / "parts", env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    if not (BIN / "coredns").exists():
        print(f"building coredns {DNS_VERSION}", flush=True)
        subprocess.run(["go", "install", f"github.com/coredns/coredns@v{DNS_VERSION}"], check=True,
                       env={**os.environ, "CGO_ENABLED": "0", "GOBIN": str(BIN)})


def enter(prepare):
    """Goes on as the first process of the namespaces; returns there, with the folder to work in.

    `prepare` is called with it before, while there is a network to the outside.
    """
    if _INSIDE in os.environ:
        work = pathlib.Path(os.environ[_INSIDE])
        _arrange(work)
        return work
    work = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-cluster-"))
    groups = control_groups.ControlGroups(work.name)
    try:
        prepare(work)
        code = subprocess.run(
            ["sh", "-ec", groups.joining + '\nexec "$@"', "sh", "unshare", "--pid", "--fork",
             "--kill-child", "--mount", "--net", "--uts", "--ipc", "--cgroup", "--mount-proc",
             sys.executable, *sys.argv],
            env={**os.environ, _INSIDE: str(work)}, check=False).returncode
    finally:
        groups.remove()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(code)


def _sh(script):
    subprocess.run(["sh", "-ec", script], check=True)


def _arrange(work):
    """Mounts, addresses and interfaces of the node."""
    _sh(control_groups.mounting())
    _sh(f"""
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /var/log
        mkdir {work}/state {work}/scratch
        mount -t overlay overlay -o lowerdir=/var/lib,upperdir={work}/state,workdir={work}/scratch \
          /var/lib
        mkdir /var/lib/kubelet /var/log/pods /var/log/containers
        mount --bind /var/lib/kubelet /var/lib/kubelet
        mount --make-rshared /
        hostname {NODE_NAME}
        ip link set lo up
        ip link add node0 type veth peer name node1
        ip addr add {NODE}/24 dev node0
        ip link set node0 up
        ip link set node1 up
        ip route add default via {NODE} dev node0
        sysctl -qw net.ipv4.ip_forward=1
    """)


class Cluster:
    """Started, and ended with the process that made it."""

    def __init__(self, work):
        self._work = work
        self._processes = {}
        (work / "logs").mkdir()
        self._certificates()
        self._start_all()

    # What cases use.

    def kubectl(self, *arguments, stdin=None, check=True):
        done = subprocess.run(
            [BIN / "kubectl", f"--kubeconfig={self._work}/admin.conf", *map(str, arguments)],
            input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {arguments}: {done.stdout}{done.stderr}")
        return done

    def get(self, *arguments):
        return json.loads(self.kubectl("get", "-o", "json", *arguments).stdout)

    def wait_until(self, holds, what, timeout=120):
        """What `holds` returns, once it is true."""
        deadline = time.monotonic() + timeout
        while not (held := holds()):
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} has ended:\n{self.log(name)}")
            if time.monotonic() > deadline:
                raise AssertionError(f"expected {what} within {timeout} s")
        return held

    def load_image(self, archive):
        self._ctr("images", "import", archive)

    def process_of(self, container):
        """The pid of a container's first process, as it is here."""
        done = subprocess.run(
            ["ctr", "--address", f"{self._work}/containerd.sock", "--namespace", "k8s.io", "task",
             "ls"], capture_output=True, text=True, check=True)
        return next(line.split()[1] for line in done.stdout.splitlines()
                    if line.startswith(container))

    def log(self, name, last=30):
        text = (self._work / "logs" / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-last:])

    def collect_logs(self, directory):
        shutil.copytree(self._work / "logs", directory, dirs_exist_ok=True)
        shutil.copytree("/var/log/pods", pathlib.Path(directory) / "pods", dirs_exist_ok=True)

    def start_dns(self):
        """CoreDNS on the node's loopback, with the cluster's Services and pods."""
        self._write("Corefile", f"""\
            .:53 {{
              bind 127.0.0.1
              kubernetes cluster.local {{
                kubeconfig {self._work}/admin.conf it
                ttl 1
              }}
              errors
            }}
            """)
        self._start("coredns", BIN / "coredns", f"-conf={self._work}/Corefile")

    # How it is made.

    def _ctr(self, *arguments):
        subprocess.run(["ctr", "--address", f"{self._work}/containerd.sock", "--namespace", "k8s.io",
                        *map(str, arguments)], check=True, capture_output=True)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self._work, check=True,
                       capture_output=True)

    def _certificates(self):
        """One authority, a certificate for each part, and a kubeconfig with it."""
        self._openssl("genrsa", "-out", "service.key", "2048")
        self._openssl("rsa", "-in", "service.key", "-pubout", "-out", "service.pub")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                      "ca.crt", "-days", "2", "-subj", "/CN=mainspring-test")
        names = f"IP:127.0.0.1,IP:{NODE},IP:10.96.0.1,DNS:kubernetes.default.svc,DNS:{NODE_NAME}"
        for name, subject in (("apiserver", "/CN=kube-apiserver"),
                              ("admin", "/O=system:masters/CN=admin"),
                              ("controller-manager", "/CN=system:kube-controller-manager"),
                              ("scheduler", "/CN=system:kube-scheduler"),
                              ("proxy", "/CN=system:kube-proxy"),
                              ("kubelet", f"/O=system:nodes/CN=system:node:{NODE_NAME}")):
            self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                          f"{name}.csr", "-subj", subject)
            (self._work / "extensions").write_text(f"subjectAltName={names}\n")
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                          "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", "-extfile",
                          "extensions")
            (self._work / f"{name}.conf").write_text(json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "it",
                "clusters": [{"name": "it", "cluster": {
                    "server": "https://127.0.0.1:6443",
                    "certificate-authority": f"{self._work}/ca.crt"}}],
                "users": [{"name": "it", "user": {
                    "client-certificate": f"{self._work}/{name}.crt",
                    "client-key": f"{self._work}/{name}.key"}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}))

    def _start(self, name, *command):
        log = open(self._work / "logs" / f"{name}.log", "w", encoding="utf-8")
        self._processes[name] = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()

    def _write(self, name, text):
        path = self._work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def _start_all(self):
        work = self._work
        self._start("etcd", "etcd", f"--data-dir={work}/etcd",
                    "--listen-client-urls=http://127.0.0.1:2379",
                    "--advertise-client-urls=http://127.0.0.1:2379",
                    "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync")
        self._start("kube-apiserver", BIN / "kube-apiserver",
                    "--etcd-servers=http://127.0.0.1:2379", f"--advertise-address={NODE}",
                    f"--service-cluster-ip-range={SERVICES}",
                    f"--tls-cert-file={work}/apiserver.crt",
                    f"--tls-private-key-file={work}/apiserver.key",
                    f"--client-ca-file={work}/ca.crt",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={work}/service.pub",
                    f"--service-account-signing-key-file={work}/service.key",
                    f"--kubelet-client-certificate={work}/admin.crt",
                    f"--kubelet-client-key={work}/admin.key",
                    "--authorization-mode=Node,RBAC",
                    "--enable-admission-plugins=NodeRestriction", f"--cert-dir={work}/apiserver")
        self.wait_until(lambda: self.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok",
                        "the API server to be ready")
        self._start("kube-controller-manager", BIN / "kube-controller-manager",
                    f"--kubeconfig={work}/controller-manager.conf",
                    f"--service-account-private-key-file={work}/service.key",
                    f"--root-ca-file={work}/ca.crt", "--use-service-account-credentials=true",
                    "--leader-elect=false", f"--cert-dir={work}/controller-manager")
        self._start("kube-scheduler", BIN / "kube-scheduler", f"--kubeconfig={work}/scheduler.conf",
                    "--leader-elect=false", f"--cert-dir={work}/scheduler")
        self._start_containerd()
        self._write("kubelet.yaml", f"""\
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            authentication:
              anonymous: {{enabled: false}}
              webhook: {{enabled: false}}
              x509: {{clientCAFile: {work}/ca.crt}}
            authorization: {{mode: AlwaysAllow}}
            cgroupDriver: cgroupfs
            containerRuntimeEndpoint: unix://{work}/containerd.sock
            enforceNodeAllocatable: []
            failSwapOn: false
            localStorageCapacityIsolation: false
            evictionHard: {{memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%"}}
            imageGCHighThresholdPercent: 100
            imageGCLowThresholdPercent: 99
            resolvConf: ""
            clusterDomain: cluster.local
            registerNode: true
            tlsCertFile: {work}/kubelet.crt
            tlsPrivateKeyFile: {work}/kubelet.key
            """)
        self._start("kubelet", BIN / "kubelet", f"--config={work}/kubelet.yaml",
                    f"--kubeconfig={work}/kubelet.conf", f"--hostname-override={NODE_NAME}",
                    f"--node-ip={NODE}", f"--cert-dir={work}/kubelet-certificates")
        self._write("proxy.yaml", f"""\
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            clientConnection: {{kubeconfig: {work}/proxy.conf}}
            mode: iptables
            clusterCIDR: {PODS}
            hostnameOverride: {NODE_NAME}
            conntrack: {{maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
            """)
        self._start("kube-proxy", BIN / "kube-proxy", f"--config={work}/proxy.yaml")
        self.wait_until(self._node_is_ready, "the node to be ready")

    def _node_is_ready(self):
        nodes = self.get("nodes")["items"]
        return nodes and any(each["type"] == "Ready" and each["status"] == "True"
                             for each in nodes[0]["status"]["conditions"])

    def _start_containerd(self):
        work = self._work
        self._write("cni/10-bridge.conflist", f"""\
            {{"cniVersion": "0.4.0", "name": "pods", "plugins": [
              {{"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
                "ipam": {{"type": "host-local", "subnet": "{PODS}", "dataDir": "{work}/addresses",
                          "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
            """)
        self._write("containerd.toml", f"""\
            version = 2
            root = "{work}/containerd"
            state = "/run/containerd"
            [grpc]
              address = "{work}/containerd.sock"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/pause:latest"
              restrict_oom_score_adj = true
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "/usr/lib/cni"
                conf_dir = "{work}/cni"
              [plugins."io.containerd.grpc.v1.cri".containerd]
                snapshotter = "overlayfs"
                default_runtime_name = "runc"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                  runtime_type = "io.containerd.runc.v2"
            """)
        self._start("containerd", "containerd", f"--config={work}/containerd.toml")
        self.wait_until(lambda: subprocess.run(
            ["ctr", "--address", f"{work}/containerd.sock", "version"], capture_output=True,
            check=False).returncode == 0, "containerd to answer")

    def end(self):
        """Pods first, so that their mounts go; then everything."""
        self.kubectl("delete", "--all", "--all-namespaces", "--force", "--grace-period=0", "pods",
                     check=False)
        for process in reversed(self._processes.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
