"""Starts the services from configuration files of their own, on one store. Standard library only."""
import contextlib, http.client, http.server, json, os, shutil, signal, socket, subprocess, sys, tempfile, threading, time, urllib.parse
from harness import free_port

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


def wait_for(port, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0: return
        time.sleep(0.05)
    raise RuntimeError("nobody listens on %d" % port)


class Moto:
    """A moto server of its own: S3, Glue, S3 Tables, in memory."""

    key = secret = "test"

    def __init__(self, *buckets):
        self.port, self.buckets = free_port(), buckets

    @property
    def url(self): return "http://127.0.0.1:%d" % self.port

    def __enter__(self):
        self.process = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)
        for bucket in self.buckets: self.ask("s3", "PUT", "/" + bucket, b"")
        return self

    def ask(self, service, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, {"Content-Type": "application/json", "Authorization":
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0" % service})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (answer.status, text)
        return text

    def table_bucket(self, name): return json.loads(self.ask("s3tables", "PUT", "/buckets", json.dumps({"name": name})))["arn"]

    def __exit__(self, *_): self.process.terminate(); self.process.wait()


class Forgetful:
    """A store between us and a real one that drops headers of requests: what stores do that do not know conditional writes."""

    def __init__(self, target, *dropped):
        dropped = [name.lower() for name in dropped]

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection("127.0.0.1", target, timeout=60)
                connection.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in dropped + ["connection"]})
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"): self.send_header(name, value)
                self.send_header("Content-Length", answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content)))
                self.end_headers(); self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

            def log_message(self, *_): pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self): return self

    def __exit__(self, *_): self.server.shutdown(); self.server.server_close()


class Given:
    """An S3 server that somebody else started; its buckets are made."""

    def __init__(self, url, *buckets):
        self.url, self.buckets, self.key, self.secret = url, buckets, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]

    def __enter__(self):
        import pyarrow.fs
        fs = pyarrow.fs.S3FileSystem(endpoint_override=self.url, access_key=self.key, secret_key=self.secret, region="us-east-1", allow_bucket_creation=True)
        for bucket in self.buckets: fs.create_dir(bucket)
        return self

    def __exit__(self, *_): pass


class Service:
    """One process of `icegate ingest|query|maintain run`; `kill` does not let it end in order."""

    PORTS = {"ingest": {"otlp": "otlp_http", "grpc": "otlp_grpc", "metrics": "metrics"},
             "query": {"loki": "loki", "prometheus": "prometheus", "tempo": "tempo", "metrics": "metrics"},
             "maintain": {"iceberg": "iceberg_rest", "metrics": "metrics"}}

    def __init__(self, kind, shared, folder, environment=None):
        """`shared`: lines of the catalog, storage and other sections of this service."""
        self.kind, self.process = kind, None
        self.ports = {name: free_port() for name in self.PORTS[kind]}
        sections = [shared]
        for name, section in self.PORTS[kind].items():
            sections.append("%s:\n  enabled: true\n  host: 127.0.0.1\n  port: %d\n" % (section, self.ports[name]))
        self.file = tempfile.mktemp(prefix=kind + "-", suffix=".yaml", dir=folder)
        self.log_name = self.file + ".log"
        with open(self.file, "w") as file: file.write("".join(sections))
        self.environment = {**ENVIRONMENT, **os.environ, **(environment or {})}

    HEALTH = {"ingest": ("otlp", "/health"), "query": ("loki", "/ready"), "maintain": ("iceberg", "/v1/config")}

    def port(self, name): return self.ports[name]

    def start(self, timeout=60):
        with open(self.log_name, "ab") as log:
            self.process = subprocess.Popen([os.environ["ICEGATE"], self.kind, "run", "--config", self.file], stdout=log, stderr=subprocess.STDOUT,
                                            env=self.environment)
        deadline = time.time() + timeout
        while True:
            if self.process.poll() is not None: raise RuntimeError("%s exited with %s: %s" % (self.kind, self.process.returncode, self.tail()))
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request(self.HEALTH[self.kind][0], "GET", self.HEALTH[self.kind][1])[0] == 200: return self
            if time.time() > deadline: self.kill(); raise RuntimeError("%s not ready: %s" % (self.kind, self.tail()))
            time.sleep(0.02)

    def tail(self): return open(self.log_name, errors="replace").read()[-3000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try: self.process.wait(60)
        except subprocess.TimeoutExpired: self.kill(); raise RuntimeError("%s did not stop: %s" % (self.kind, self.tail()))
        return self.process.returncode

    def kill(self): self.process.kill(); self.process.wait()

    def request(self, name, method, path, body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port(name), timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        finally: connection.close()

    def get(self, name, path, params=None, tenant=None):
        if params: path += "?" + urllib.parse.urlencode(params, doseq=True)
        status, _, body = self.request(name, "GET", path, headers={"X-Scope-OrgID": tenant} if tenant else {})
        return status, json.loads(body) if body[:1] in (b"{", b"[") else body

    def count(self, tenant, start, end, selector='{service_name=~".+"}'):
        status, answer = self.get("loki", "/loki/api/v1/query", {"query": "sum(count_over_time(%s[%ds]))" % (selector, end - start), "time": end}, tenant)
        if status != 200: raise RuntimeError("%s %s" % (status, answer))
        result = answer["data"]["result"]
        return int(float(result[0]["value"][1])) if result else 0


def command(*words, environment=None):
    return subprocess.run([os.environ["ICEGATE"], *words], capture_output=True, text=True, env={**ENVIRONMENT, **os.environ, **(environment or {})}, timeout=120)


class Cluster:
    """Several replicas of the services on one store. `shared`: catalog and storage sections; `queue`: the log's base path."""

    def __init__(self, shared, queue, ingests=1, queries=1, interval=1000, migrate=True):
        self.folder = tempfile.mkdtemp(prefix="icegate-services-")
        log = "queue:\n  common:\n    base_path: %s\n" % queue
        write = "  write:\n    flush_interval_ms: 50\nshift:\n  jobsmanager:\n    iteration_interval_millisecs: %d\n" % interval
        self.maintain = Service("maintain", shared, self.folder)
        self.ingests = [Service("ingest", shared + log + write, self.folder) for _ in range(ingests)]
        self.queries = [Service("query", shared + log, self.folder) for _ in range(queries)]
        self.migrate = migrate

    @property
    def all(self): return [self.maintain, *self.ingests, *self.queries]

    def __enter__(self):
        if self.migrate:
            made = command("maintain", "migrate", "create", "-c", self.maintain.file)
            assert made.returncode == 0, made.stderr
        try:
            for service in self.all: service.start()
        except Exception: self.__exit__(None); raise
        return self

    def __exit__(self, kind, *_):
        for service in self.all:
            if service.process and service.process.poll() is None: service.kill()
        if os.environ.get("ICEGATE_KEEP_LOGS"): print("# logs in", self.folder)
        else: shutil.rmtree(self.folder, ignore_errors=True)
