"""Two ingests, two queries and a maintain that shifts too, on one S3 store (moto) with the object-store catalog: kill any, nothing is lost
and nothing comes twice."""
import collections, os, random, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "services"))
sys.path.insert(0, os.path.dirname(__file__))
from clients import CONNECTIONS, Client, lines
from harness import check, main
from services import Cluster, Given, Moto

SECONDS = float(os.environ.get("ICEGATE_KILL_SECONDS", "60"))


def shared(moto):
    return ("catalog:\n  backend: !object_store\n  warehouse: s3://warehouse/lake\nstorage:\n  backend: !s3\n    bucket: warehouse\n    region: us-east-1\n"
            "    endpoint: %s\n" % moto.url)


def storm(cluster, seconds):
    """Clients send to both ingests while any process of the cluster dies; a reader asks both queries all the while."""
    stop, start_time, kills, r = threading.Event(), time.time_ns(), collections.Counter(), random.Random(7)
    clients = [Client(n, cluster.ingests, start_time, stop) for n in range(CONNECTIONS)]
    for c in clients: c.start()
    end = time.time() + seconds
    # On a slow machine few die in the time there is: everyone has a turn, and each kind dies at least once.
    order = []
    while time.time() < end or len(kills) < 3:
        time.sleep(r.uniform(0.5, 3.0))
        if not order: order = r.sample(cluster.all, len(cluster.all))
        victim = order.pop()
        victim.kill(); kills[victim.kind] += 1
        time.sleep(r.uniform(0, 0.3))
        victim.start()
    stop.set()
    for c in clients: c.join()
    failures = [c.failure for c in clients if c.failure]
    assert not failures, failures
    sent = sum(len(c.acknowledged) for c in clients)
    print("# %d records acknowledged, kills %s, %d repeats, %d answered as deduplicated" %
          (sent, dict(kills), sum(c.repeats for c in clients), sum(c.deduplicated for c in clients)), flush=True)
    assert sent and len(kills) == 3
    return clients, start_time


def judge(cluster, moto, clients, start_time):
    from pyiceberg.catalog.rest import RestCatalog
    want = collections.Counter(id for c in clients for id in c.acknowledged)
    end = start_time + 10**9 * 86400
    def compare(got, phase):
        missing, extra = want - got, got - want
        assert not missing, (phase, "lost", len(missing), list(missing)[:5])
        assert not extra, (phase, "repeated or never acknowledged", len(extra), list(extra.items())[:5])
    for n, query in enumerate(cluster.queries): compare(collections.Counter(line for _, line in lines(query, start_time, end)), "query %d" % n)
    catalog = RestCatalog("x", uri="http://127.0.0.1:%d" % cluster.maintain.port("iceberg"), **{
        "s3.endpoint": moto.url, "s3.access-key-id": moto.key, "s3.secret-access-key": moto.secret, "s3.region": "us-east-1"})
    deadline = time.time() + 120
    while True:
        rows = catalog.load_table("icegate.logs").scan(row_filter="tenant_id = 'kill'", selected_fields=("body",)).to_arrow()["body"].to_pylist()
        if len(rows) >= sum(want.values()): break
        assert time.time() < deadline, ("not shifted", len(rows), sum(want.values()))
        time.sleep(1)
    compare(collections.Counter(rows), "PyIceberg")
    for n, query in enumerate(cluster.queries): compare(collections.Counter(line for _, line in lines(query, start_time, end)), "query %d, shifted" % n)


@check("services on S3, any of them killed again and again: every record is there exactly once")
def services(_):
    given = os.environ.get("ICEGATE_KILL_ENDPOINT")
    with Given(given, "warehouse", "queue") if given else Moto("warehouse", "queue") as moto:
        cluster = Cluster(shared(moto), "s3://queue/", ingests=2, queries=2, interval=2000)
        # The maintain process shifts too.
        with open(cluster.maintain.file, "a") as file:
            file.write("queue:\n  common:\n    base_path: s3://queue/\nshift:\n  jobsmanager:\n    iteration_interval_millisecs: 2000\n")
        with cluster:
            clients, start_time = storm(cluster, SECONDS)
            judge(cluster, moto, clients, start_time)


if __name__ == "__main__": main(None)
