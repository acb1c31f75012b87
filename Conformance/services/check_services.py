"""The services from configuration files: on files with SQLite, and on S3 (moto) with every catalog, several replicas on one store."""
import concurrent.futures, glob, json, os, shutil, sys, tempfile, time

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "iceberg_rest"))
from harness import check, main
from services import Cluster, Forgetful, Moto, Service, command

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "Fixtures", "examples", "configuration")
START = 1_800_000_000


def send(service, tenant, first, count):
    records = [{"timeUnixNano": str(START * 10**9 + i * 10**6), "body": {"stringValue": "line %d" % i}} for i in range(first, first + count)]
    body = json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]}, "scopeLogs": [{"logRecords": records}]}]})
    status, _, answer = service.request("otlp", "POST", "/v1/logs", body.encode(), {"Content-Type": "application/json", "X-Scope-OrgID": tenant})
    assert status == 200, (status, answer)


def s3(moto, catalog, warehouse="s3://warehouse/lake"):
    return ("catalog:\n  backend: %s\n  warehouse: %s\nstorage:\n  backend: !s3\n    bucket: warehouse\n    region: us-east-1\n    endpoint: %s\n"
            % (catalog, warehouse, moto.url))


def exercise(cluster, iceberg_rows=None):
    """Rows from every ingest replica are seen by every query replica, at once and after the shift."""
    for round in range(3):
        for n, ingest in enumerate(cluster.ingests): send(ingest, "t", (round * 10 + n) * 100, 100)
        for query in cluster.queries:
            found = query.count("t", START - 1, START + 3600)
            assert found == (round + 1) * 100 * len(cluster.ingests), (round, found)
    total = 300 * len(cluster.ingests)
    deadline = time.time() + 60
    while iceberg_rows is not None and iceberg_rows() != total:
        assert time.time() < deadline, ("not shifted", iceberg_rows(), total, cluster.ingests[0].tail())
        time.sleep(0.3)
    for query in cluster.queries: assert query.count("t", START - 1, START + 3600) == total
    for query in cluster.queries: assert query.count("u", START - 1, START + 3600) == 0
    # What stops in order loses nothing and says so.
    for service in cluster.all: assert service.stop() == 0, service.tail()


def rest_rows(cluster, moto):
    """Rows of icegate.logs as PyIceberg sees them through the maintain service's REST port."""
    from pyiceberg.catalog.rest import RestCatalog
    catalog = RestCatalog("x", uri="http://127.0.0.1:%d" % cluster.maintain.port("iceberg"),
                          **({"s3.endpoint": moto.url, "s3.access-key-id": "test", "s3.secret-access-key": "test", "s3.region": "us-east-1"} if moto else {}))
    return lambda: catalog.load_table("icegate.logs").scan(selected_fields=("body",)).to_arrow().num_rows


@check("every configuration example of the manual passes --check, which shows defaults, hides secrets and names what means nothing here")
def examples(_):
    found = sorted(glob.glob(EXAMPLES + "/*"))
    assert len(found) >= 8, found
    for file in found:
        service = os.path.basename(file).split(".")[0].split("-")[0]
        done = command(service, "run", "-c", file, "--check")
        assert done.returncode == 0 and "Effective configuration" in done.stdout, (file, done.stderr)
        if file.endswith("ingest.yaml"):
            assert "# accepted, without meaning here: shift.jobsmanager.storage\n" in done.stdout and "window_secs: 600" in done.stdout, done.stdout
    with tempfile.TemporaryDirectory() as folder:
        text = open(EXAMPLES + "/ingest.yaml").read()
        for name, content, wanted in [("a.yaml", text.replace("base_path: s3://queue/", "base_path: ${QUEUE_PATH}"), None),
                                      ("b.yaml", text.replace("base_path: s3://queue/", "base_path: ${ABSENT}"), "b.yaml:14: queue.common.base_path: the environment variable ABSENT is not set"),
                                      ("c.yaml", text.replace("  prefix: main", "  prefix: main\n    token: ${QUEUE_PATH}"), None),
                                      ("d.ini", text, "the name must end in .yaml, .yml or .toml"),
                                      ("e.yaml", text.replace("port: 4318", "port: http"), "e.yaml:48: otlp_http.port: found `http`, allowed: a whole number from 0 to 65535")]:
            file = os.path.join(folder, name)
            with open(file, "w") as f: f.write(content)
            done = command("ingest", "run", "--config", file, "--check", environment={"QUEUE_PATH": "s3://elsewhere/q"})
            if wanted: assert done.returncode == 2 and wanted in done.stderr, (done.returncode, done.stderr)
            else: assert done.returncode == 0, done.stderr
            if name == "a.yaml": assert "base_path: s3://elsewhere/q" in done.stdout, done.stdout
            if name == "c.yaml": assert "elsewhere" not in done.stdout and "********" in done.stdout, done.stdout


@check("files and SQLite: two ingests, two queries and a maintain on one folder; health endpoints; migrate says what it does")
def filesystem(_):
    root = tempfile.mkdtemp(prefix="icegate-store-")
    try:
        shared = ("catalog:\n  backend: !sqlite\n    path: %s/catalog.db\n  warehouse: file://%s/warehouse\nstorage:\n  backend: !filesystem\n    root_path: %s\n" % (root, root, root))
        cluster = Cluster(shared, "wal", ingests=2, queries=2, migrate=False)
        rehearsed = command("maintain", "migrate", "create", "-c", cluster.maintain.file, "--dry-run")
        assert rehearsed.returncode == 0 and "would create table icegate.logs" in rehearsed.stdout, rehearsed.stdout + rehearsed.stderr
        cluster.migrate = True
        with cluster:
            again = command("maintain", "migrate", "upgrade", "-c", cluster.maintain.file)
            assert again.stdout == "every table is there and up to date\n", again.stdout
            for service, name, path in [(cluster.ingests[0], "otlp", "/health"), (cluster.queries[0], "loki", "/ready"), (cluster.queries[0], "tempo", "/ready"),
                                        (cluster.queries[0], "prometheus", "/-/ready"), (cluster.ingests[1], "metrics", "/metrics"), (cluster.maintain, "metrics", "/metrics")]:
                assert service.request(name, "GET", path)[0] == 200, (name, path)
            exercise(cluster, rest_rows(cluster, None))
    finally: shutil.rmtree(root, ignore_errors=True)


@check("S3 with the object-store catalog: no service but the bucket, the log in a bucket of its own")
def object_store(_):
    with Moto("warehouse", "queue") as moto, Cluster(s3(moto, "!object_store"), "s3://queue/", ingests=2, queries=2) as cluster:
        exercise(cluster, rest_rows(cluster, moto))


@check("names of an object-store catalog, listed by eight clients at once, are all there every time")
def listing(_):
    root = tempfile.mkdtemp(prefix="icegate-names-")
    shared = "catalog:\n  backend: !object_store\n  warehouse: file://%s/warehouse\nstorage:\n  backend: !filesystem\n    root_path: %s\n" % (root, root)
    wanted = [["icegate"]] + [["n%d" % n] for n in range(6)]

    def list_often(cluster):
        for _ in range(100):
            status, _, body = cluster.maintain.request("iceberg", "GET", "/v1/main/namespaces")
            assert status == 200 and sorted(json.loads(body)["namespaces"]) == wanted, (status, body)
    try:
        with Cluster(shared, "wal", ingests=0, queries=0) as cluster, concurrent.futures.ThreadPoolExecutor(8) as clients:
            for name in wanted[1:]:
                status, _, body = cluster.maintain.request("iceberg", "POST", "/v1/main/namespaces", json.dumps({"namespace": name}), {"Content-Type": "application/json"})
                assert status == 200, body
            for done in [clients.submit(list_often, cluster) for _ in range(8)]: done.result()
    finally: shutil.rmtree(root, ignore_errors=True)


@check("S3 with a REST catalog, the one that another icegate serves: client and server both keep to the protocol's document")
def rest(_):
    from validating import ValidatingProxy
    with Moto("warehouse", "queue") as moto, Cluster(s3(moto, "!object_store"), "s3://queue/", ingests=0, queries=0) as server:
        with ValidatingProxy(("127.0.0.1", server.maintain.port("iceberg")), strip="/iceberg") as proxy:
            backend = "!rest\n    uri: http://127.0.0.1:%d/iceberg\n  properties:\n    prefix: main" % proxy.port
            with Cluster(s3(moto, backend, "s3://warehouse/"), "s3://queue/deep/er", ingests=2, queries=1) as cluster:
                exercise(cluster, rest_rows(cluster, moto))
            seen = {(method, path.split("/")[-1], status) for method, path, status in proxy.exchanges}
            print("# %d exchanges held against the document, %d of them 304" % (len(proxy.exchanges), sum(status == 304 for _, _, status in proxy.exchanges)))
            assert ("POST", "logs", 200) in seen and ("GET", "logs", 304) in seen, seen
            assert not proxy.faults, "\n".join(sorted(set(proxy.faults)))


@check("S3 with AWS Glue and with AWS S3 Tables, as far as moto is them")
def aws(_):
    with Moto("warehouse", "queue") as moto:
        glue = "!glue\n  properties:\n    glue.endpoint: %s" % moto.url
        with Cluster(s3(moto, glue), "s3://queue/glue") as cluster: exercise(cluster, rest_rows(cluster, moto))
        arn = moto.table_bucket("our-tables")
        tables = "!s3tables\n    table_bucket_arn: %s\n  properties:\n    s3tables.endpoint: %s" % (arn, moto.url)
        with Cluster(s3(moto, tables), "s3://queue/tables") as cluster: exercise(cluster, rest_rows(cluster, moto))


@check("a place that the bucket empties by itself is refused, by name")
def expiry(_):
    import boto3
    with Moto("warehouse", "queue") as moto:
        client = boto3.client("s3", endpoint_url=moto.url, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cluster = Cluster(s3(moto, "!object_store"), "s3://queue/wal")
        def rule(**filter): return {"ID": "r%s" % filter, "Status": "Enabled", "Expiration": {"Days": 1}, "Filter": filter}
        tag = {"Tag": {"Key": "a", "Value": "b"}}
        for bucket, rules, refused in [("queue", [rule(Prefix="other/"), rule(**tag)], None), ("queue", [rule(Prefix="wal/logs")], "queue.common.base_path"), ("queue", [rule(Prefix="")], "queue.common.base_path"),
                                       ("queue", [{**rule(Prefix=""), "Status": "Disabled"}], None), ("warehouse", [rule(Prefix="lake/")], "catalog.warehouse")]:
            client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
            if refused:
                done = command("ingest", "run", "-c", cluster.ingests[0].file)
                assert done.returncode == 2 and refused in done.stderr and "by age" in done.stderr, (rules, done.stderr)
            else: cluster.ingests[0].start().stop()
            client.delete_bucket_lifecycle(Bucket=bucket)


@check("the README's three files on an S3 server; engines learn from the catalog where the store is; errors say what is wrong")
def readme(_):
    from pyiceberg.catalog.rest import RestCatalog
    folder = os.path.join(EXAMPLES, "..", "services")
    with Moto() as moto, tempfile.TemporaryDirectory() as own:
        environment, files = {"S3_ENDPOINT": moto.url}, {}
        for kind in ("ingest", "query", "maintain"):
            with open(os.path.join(folder, kind + ".yaml")) as file: text = file.read()
            files[kind] = os.path.join(own, kind + ".yaml")
            with open(files[kind], "w") as file: file.write(text.replace("iteration_interval_millisecs: 30000", "iteration_interval_millisecs: 500"))
        done = command("maintain", "migrate", "create", "-c", files["maintain"], environment=environment)
        assert done.returncode == 1 and "warehouse" in done.stderr and "NoSuchBucket" in done.stderr and "(" not in done.stderr.split("NoSuchBucket")[0], done.stderr
        done = command("maintain", "migrate", "create", "-c", files["maintain"], environment={"S3_ENDPOINT": "http://127.0.0.1:1"})
        assert done.returncode == 1 and "connect" in done.stderr and "notSent" not in done.stderr, done.stderr
        for bucket in ("warehouse", "queue"): moto.ask("s3", "PUT", "/" + bucket, b"")
        assert command("maintain", "migrate", "create", "-c", files["maintain"], environment=environment).returncode == 0
        services = []
        try:
            for kind, file in files.items():
                service = Service(kind, "", own, environment)
                with open(file) as f: text = f.read()
                for name, port in (("otlp", 4318), ("grpc", 4317), ("loki", 3100), ("iceberg", 8181)):
                    if name in service.ports: text = text.replace("port: %d" % port, "port: %d" % service.ports[name])
                with open(service.file, "w") as f: f.write(text)
                services.append(service.start())
            ingest, query, maintain = services
            send(ingest, "t", 0, 100)
            assert query.count("t", START - 1, START + 3600) == 100
            uri, deadline = "http://127.0.0.1:%d" % maintain.port("iceberg"), time.time() + 60
            table = lambda: RestCatalog("lake", uri=uri, **{"s3.access-key-id": "test", "s3.secret-access-key": "test"}).load_table("icegate.logs")
            while table().scan(selected_fields=("body",)).to_arrow().num_rows != 100:
                assert time.time() < deadline, ingest.tail()
                time.sleep(0.3)
            for service in services: assert service.stop() == 0, service.tail()
        finally:
            for service in services:
                if service.process.poll() is None: service.kill()


@check("a store that ignores conditions is found out at start and refused, with the reason; one that keeps them is not")
def forgetful(_):
    with Moto("warehouse", "queue") as moto:
        for headers, catalog, refused in [((), "!object_store", None), (("If-None-Match",), "!object_store", "a second create of"), (("If-Match",), "!object_store", "an If-Match that names another content"),
                                          # Whoever keeps pointers elsewhere writes the log all the same.
                                          (("If-None-Match",), "!glue\n  properties:\n    glue.endpoint: %s" % moto.url, "a second create of")]:
            with Forgetful(moto.port, *headers) as store:
                cluster = Cluster(s3(store, catalog), "s3://queue/wal", migrate=False)
                for service in cluster.ingests + ([cluster.maintain] if "object_store" in catalog else []):
                    if not refused: service.start().stop(); continue
                    done = command(service.kind, "run", "-c", service.file)
                    assert done.returncode not in (0, 2) and refused in done.stderr and "ignores conditional writes" in done.stderr, (headers, service.kind, done.returncode, done.stderr)
        assert b"probe-" not in moto.ask("s3", "GET", "/queue?list-type=2", b"") + moto.ask("s3", "GET", "/warehouse?list-type=2", b"")


@check("a catalog that is not there yet: rows are taken in and queries are refused, then both work")
def late_catalog(_):
    with Moto("warehouse") as moto, Cluster(s3(moto, "!object_store"), "wal", migrate=False) as cluster:
        ingest, query = cluster.ingests[0], cluster.queries[0]
        send(ingest, "t", 0, 100)
        status, answer = query.get("loki", "/loki/api/v1/labels", tenant="t")
        assert status in (500, 503), (status, answer)
        assert command("maintain", "migrate", "create", "-c", cluster.maintain.file).returncode == 0
        assert query.count("t", START - 1, START + 3600) == 100
        rows, deadline = rest_rows(cluster, moto), time.time() + 30
        while rows() != 100:
            assert time.time() < deadline, ingest.tail()
            time.sleep(0.3)


if __name__ == "__main__": main(None)
