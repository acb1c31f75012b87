"""Starts a real `icegate dev` on free ports and a fresh directory, and speaks to it. Standard library only.

A check is a function decorated with @check("a sentence"); `main()` runs them in order and prints `ok` or `not ok` lines.
"""
import contextlib, http.client, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, time, traceback, urllib.parse

CHECKS = []


def check(sentence):
    def add(function):
        CHECKS.append((sentence, function))
        return function
    return add


def main(*arguments):
    """Runs every check with `arguments`; exits 1 when one failed."""
    failed = 0
    only = sys.argv[1:]
    for sentence, function in CHECKS:
        if only and not any(word in sentence for word in only):
            continue
        try:
            why = function(*arguments)
            print(("skip %s: %s" % (sentence, why)) if why else "ok " + sentence, flush=True)
        except Exception:
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print("not ok " + sentence, flush=True)
    sys.exit(1 if failed else 0)


PORTS = {"otlp": 4318, "loki": 3100, "tempo": 3200, "prometheus": 9090, "metrics": 9091, "grpc": 4317, "iceberg": 8181}


def is_free(port):
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: return False
    return True


# Below the range from which the kernel takes ports for connections: none of those can sit on a port while its server is started again.
FIRST_PORT, LAST_PORT = 10_000, 32_000


def free_port():
    """A port that nobody listens on."""
    return next(port for port in iter(lambda: random.randint(FIRST_PORT, LAST_PORT), None) if is_free(port))


def free_offset():
    """An offset that leaves every port of the server free."""
    offsets = iter(lambda: random.randint(FIRST_PORT, LAST_PORT - max(PORTS.values())), None)
    return next(offset for offset in offsets if all(is_free(port + offset) for port in PORTS.values()))


class Server:
    """One `icegate dev`; `stop` ends it gently, `kill` does not."""

    def __init__(self, data=None, arguments=(), command="dev"):
        self.own = data is None
        self.data = data or tempfile.mkdtemp(prefix="icegate-")
        self.log_name = self.data.rstrip("/") + ".log"
        self.offset = free_offset()
        self.arguments, self.command, self.process = list(arguments), command, None

    def port(self, name):
        return PORTS[name] + self.offset

    def start(self, timeout=60):
        os.makedirs(self.data, exist_ok=True)
        command = [os.environ["ICEGATE"], self.command, "--data", self.data, "--port-offset", str(self.offset)]
        with open(self.log_name, "ab") as log:
            self.process = subprocess.Popen(command + self.arguments, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.time() + timeout
        while True:
            if self.process.poll() is not None:
                raise RuntimeError("icegate exited with %s: %s" % (self.process.returncode, self.tail()))
            with contextlib.suppress(OSError):
                if self.get("loki", "/ready")[0] == 200:
                    return self
            if time.time() > deadline:
                self.kill(); raise RuntimeError("not ready: " + self.tail())
            time.sleep(0.02)

    def tail(self):
        return open(self.log_name, errors="replace").read()[-2000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try: self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill(); raise RuntimeError("did not stop within 60 s of SIGTERM: " + self.tail())
        return self.process.returncode

    def kill(self):
        self.process.kill(); self.process.wait()

    def request(self, name, method, path, body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port(name), timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, name, path, params=None, tenant=None):
        if params: path += "?" + urllib.parse.urlencode(params, doseq=True)
        status, headers, body = self.request(name, "GET", path, headers={"X-Scope-OrgID": tenant} if tenant else {})
        return status, json.loads(body) if body[:1] in (b"{", b"[") else body

    def count(self, tenant, start, end, selector='{service_name=~".+"}'):
        """Rows by LogQL, counted by the server; `start` and `end` in seconds, the window is (start, end]."""
        status, answer = self.get("loki", "/loki/api/v1/query", {
            "query": "sum(count_over_time(%s[%ds]))" % (selector, end - start), "time": end}, tenant)
        if status != 200: raise RuntimeError("%s %s" % (status, answer))
        result = answer["data"]["result"]
        return int(float(result[0]["value"][1])) if result else 0

    def flush(self):
        status, _, body = self.request("loki", "POST", "/flush", b"")
        if status not in (200, 204): raise RuntimeError("flush: %s %s" % (status, body))

    def catalog(self):
        """PyIceberg's view of the same tables."""
        from pyiceberg.catalog.sql import SqlCatalog
        return SqlCatalog("icegate", uri="sqlite:///%s/catalog.db" % self.data, warehouse="file://%s/warehouse" % self.data)

    def __enter__(self): return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None: self.stop()
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)
            with contextlib.suppress(OSError): os.unlink(self.log_name)
