"""A proxy between the services and the S3 server refuses, delays, cuts and resets connections under load: every record is there exactly
once, and nothing waits longer than it may."""
import collections, os, random, socket, struct, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "services"))
sys.path.insert(0, os.path.dirname(__file__))
from check_kill_s3 import judge, shared
from clients import CONNECTIONS, Client
from harness import CHECKS, check, main
from services import Cluster, Moto

CHECKS.clear()  # those of the module above run by themselves
SECONDS = float(os.environ.get("ICEGATE_FAULT_SECONDS", "60"))
QUERY_SECONDS = 60  # `QuerySettings.timeout`, from a query's turn on
ACK_SECONDS = 30  # `ackDelayMax`: an answer comes within it, whatever the store does


class FaultyProxy:
    """Passes TCP connections on; each request on one may meet a fault while `rate` is not 0."""

    def __init__(self, port):
        self.target, self.rate, self.faults, self.random = port, 0.0, collections.Counter(), random.Random(3)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0)); self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self): return "http://127.0.0.1:%d" % self.port

    def fate(self):
        if self.random.random() >= self.rate: return None
        fate = self.random.choice(["drop", "reset", "delay", "lose the answer", "cut the answer", "reset in the answer", "hang"])
        self.faults[fate] += 1
        return fate

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def end(self, client, server, reset):
        if reset:
            try: client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError: pass
        for s in (client, server):
            try: s.shutdown(socket.SHUT_RDWR)
            except OSError: pass
            s.close()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.target))
        for s in (client, server): s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                request = self.message(client)
                if request is None: return
                fate = self.fate()
                if fate == "drop": return
                if fate == "reset": return self.end(client, server, True)
                if fate == "delay": time.sleep(self.random.uniform(0.1, 3))
                server.sendall(request)
                answer = self.message(server, request[:5] == b"HEAD ")
                if answer is None: return
                if fate == "lose the answer": return
                if fate == "hang": time.sleep(40); return
                if fate in ("cut the answer", "reset in the answer"):
                    client.sendall(answer[:self.random.randrange(len(answer))])
                    return self.end(client, server, fate.startswith("reset"))
                client.sendall(answer)
        except OSError: pass
        finally: self.end(client, server, False)

    def message(self, source, is_head=False):
        """One request or answer of known length."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = source.recv(65536)
            if not part: return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"): length = int(line.split(b":")[1])
        if is_head: length = 0
        parts, have = [body], len(body)
        while have < length:
            part = source.recv(min(1 << 20, length - have))
            if not part: return None
            parts.append(part); have += len(part)
        return head + b"\r\n\r\n" + b"".join(parts)


@check("a network that loses, cuts, delays and resets: every record is there exactly once, and nothing hangs")
def faulty(_):
    with Moto("warehouse", "queue") as moto:
        proxy = FaultyProxy(moto.port)
        through = type("Through", (), {"url": proxy.url})
        with Cluster(shared(through), "s3://queue/", ingests=2, queries=2, interval=2000) as cluster:
            stop, start_time, slowest, times = threading.Event(), time.time_ns(), 0.0, []
            clients = [Client(n, cluster.ingests, start_time, stop) for n in range(CONNECTIONS)]
            for c in clients: c.timeout = ACK_SECONDS + 20
            proxy.rate = 0.05
            for c in clients: c.start()
            end, answers = time.time() + SECONDS, collections.Counter()
            while time.time() < end:
                # Readers may be told that it does not work now, never a wrong number, and not after more than a query's minute.
                query, began = random.choice(cluster.queries), time.time()
                # The client waits longer than a query may take, so that one that hangs is seen for what it is.
                status, answer = query.get("loki", "/loki/api/v1/query", {"query": 'sum(count_over_time({service_name="kill"}[1h]))', "time": int(time.time()) + 1800}, "kill")
                slowest = max(slowest, time.time() - began)
                times.append(time.time() - began)
                answers[status] += 1
                time.sleep(0.5)
            proxy.rate = 0.0
            stop.set()
            for c in clients: c.join()
            assert not [c.failure for c in clients if c.failure], [c.failure for c in clients if c.failure]
            longest = max(c.longest for c in clients)
            print("# %d records acknowledged, faults %s, %d repeats, longest request %.1f s; queries %s, median %.1f s, slowest %.1f s" % (
                sum(len(c.acknowledged) for c in clients), dict(proxy.faults), sum(c.repeats for c in clients), longest, dict(answers), sorted(times)[len(times) // 2], slowest), flush=True)
            assert len(proxy.faults) == 7 and longest < ACK_SECONDS + 5 and slowest < QUERY_SECONDS + 10, (longest, slowest)
            assert answers[200] > 0 and set(answers) <= {200, 503, 504}, answers
            judge(cluster, moto, clients, start_time)


if __name__ == "__main__": main(None)
