"""Ingest and queries beside VictoriaLogs and Loki: each alone while it loads, all idle but the one that is asked.

VICTORIA_LOGS and LOKI name their programs; one that is not named is left out. Answers are compared with ours by the sum over
their rows; where a peer gives another, its figure is marked.
"""
import argparse, contextlib, datetime, http.client, json, os, shutil, statistics, subprocess, tempfile, time, urllib.parse
import corpus, queries
from harness import Server, free_port
from logs import cpu_model, cpu_seconds, load, peak
from queries import END, SECONDS, T0, TENANT

LOKI_FILE = """
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: PORT, grpc_listen_address: 127.0.0.1, grpc_listen_port: GRPC, log_level: error,
  http_server_read_timeout: 600s, http_server_write_timeout: 600s, grpc_server_max_recv_msg_size: 134217728, grpc_server_max_send_msg_size: 134217728}
common: {instance_addr: 127.0.0.1, path_prefix: DATA, storage: {filesystem: {chunks_directory: DATA/chunks, rules_directory: DATA/rules}},
  replication_factor: 1, ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}}
memberlist: {bind_addr: [127.0.0.1], bind_port: GOSSIP, advertise_addr: 127.0.0.1, advertise_port: GOSSIP}
schema_config: {configs: [{from: 2020-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]}
querier: {query_ingesters_within: 0s}
ingester: {lifecycler: {min_ready_duration: 0s, final_sleep: 0s}, query_store_max_look_back_period: -1ns}
limits_config: {reject_old_samples: false, ingestion_rate_mb: 10000, ingestion_burst_size_mb: 10000, per_stream_rate_limit: 10GB,
  per_stream_rate_limit_burst: 10GB, max_query_length: 0, query_timeout: 10m, shard_streams: {enabled: false}}
analytics: {reporting_enabled: false}
"""


class Peer:
    """A program with a data directory of its own; speaks to `load` and `queries.Client` as our `Server` does."""

    def __init__(self): self.data, self.listener = tempfile.mkdtemp(prefix="peer-"), free_port()

    def port(self, _): return self.listener

    def __enter__(self):
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 120
        while self.ask("GET", self.ready)[0] != 200:
            assert self.process.poll() is None and time.time() < deadline, "%s did not start" % self.name
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate(); self.process.wait(120)
        shutil.rmtree(self.data, ignore_errors=True)

    def ask(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.listener, timeout=600)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        return 0, b""


class Loki(Peer):
    name, ready, logs_path = "Loki", "/ready", "/otlp/v1/logs"

    def command(self):
        file = os.path.join(self.data, "loki.yaml")
        text = LOKI_FILE.replace("DATA", self.data).replace("PORT", str(self.listener)).replace("GRPC", str(free_port())).replace("GOSSIP", str(free_port()))
        with open(file, "w") as out: out.write(text)
        return [os.environ["LOKI"], "-config.file=" + file]

    def flush(self): self.ask("POST", "/flush")

    def stored(self): return size(os.path.join(self.data, "chunks"))


class VictoriaLogs(Peer):
    name, ready, logs_path = "VictoriaLogs", "/health", "/insert/opentelemetry/v1/logs"

    def command(self):
        return [os.environ["VICTORIA_LOGS"], "-storageDataPath=" + self.data, "-httpListenAddr=127.0.0.1:%d" % self.listener, "-retentionPeriod=100y", "-loggerLevel=ERROR"]

    def flush(self): self.ask("GET", "/internal/force_flush")

    def stored(self): return size(self.data)


class Ours(Server):
    name, logs_path = "ours", "/v1/logs"

    def stored(self): return size(os.path.join(self.data, "icegate"))


def size(folder): return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def settle(server):
    """Waits until ten seconds pass with less than a twentieth of a core in use and nothing new on disk."""
    quiet = 0
    while quiet < 10:
        before, stored = cpu_seconds(server.process.pid), server.stored(); time.sleep(1)
        quiet = quiet + 1 if cpu_seconds(server.process.pid) - before < 0.05 and server.stored() == stored > 0 else 0


def ingest(server, bodies, records):
    pid = server.process.pid
    before = cpu_seconds(pid)
    wall = load(server, bodies, TENANT, server.logs_path)
    taken = cpu_seconds(pid) - before
    server.flush(); settle(server)
    settled = cpu_seconds(pid) - before - taken
    print("| %s | %s | %.1f | %.1f | %d | %.1f |" % (
        server.name, format(round(records / wall), ","), taken, settled, peak(pid), server.stored() / records), flush=True)


# ---------------------------------------------------------------- the same questions in LogsQL

def logsql(pick):
    """LogsQL of each of `queries.questions`, by title; texts are true substrings, as LogQL's."""
    sub = lambda text: "~" + json.dumps(text)
    return {
        "a line id, everywhere": sub(pick["line_id"]),
        "a rare text, one service": '{service.name="frontend"} ' + sub("timeout after 77 ms"),
        "a common word, newest 100": sub("timeout"),
        "regular expression, count": sub(r"after 1\d\d\d ms while calling (auth|users)") + " | count() c",
        "either case, count": 'i("upstream timeout") | count() c',
        "newest 100 of a service": '{service.name="payment"}',
        "count per minute by severity": "* | stats by (_time:1m, severity) count() c",
        "a word per 5 min by service": sub("timeout") + ' | stats by (_time:5m, "service.name") count() c',
        "total count": "* | count() c",
        "top 10 services": '* | stats by ("service.name") count() c | sort by (c) desc limit 10',
        "a JSON field at least 500, by service": '* | unpack_json fields (status) | filter status:>=500 | stats by ("service.name") count() c',
        "a logfmt field, by service": '* | unpack_logfmt fields (caller) | filter caller:="server.go:77" | stats by ("service.name") count() c',
        "95th percentile of an attribute, by service": '* | stats by ("service.name") quantile(0.95, duration_ms) c',
        "one trace id": "trace_id:=" + json.dumps(pick["trace"]),
        "one user id (an attribute)": '"user.id":=' + json.dumps(pick["user"]),
        "values of a label": "",
        "15 min, one service, two texts": '{service.name="checkout"} %s %s' % (sub("request"), sub("order")),
    }


class LogsQL(queries.Client):
    def __init__(self, server, texts): super().__init__(server); self.texts = texts

    def path(self, title, kind, text, parameters):
        window = {"start": T0, "end": END}
        if kind == "values": return "/select/logsql/stream_field_values?" + urllib.parse.urlencode({"query": "*", "field": "service.name", **window})
        if kind == "logs": window = {"start": parameters["start"] // 10**9, "end": parameters["end"] // 10**9, "limit": parameters["limit"]}
        return "/select/logsql/query?" + urllib.parse.urlencode({"query": self.texts[title], **window})

    def weight(self, kind, body):
        if kind == "values": return len(json.loads(body)["values"])
        rows = [json.loads(line) for line in body.splitlines()]
        return len(rows) if kind == "logs" else sum(float(row["c"]) for row in rows)


class LogQL(queries.Client):
    def path(self, title, kind, text, parameters): return queries.path(kind, text, parameters)

    def weight(self, kind, body):
        answer = queries.ours(kind, body, 1)
        if kind in ("logs", "values"): return len(answer)
        return sum(answer.values()) if isinstance(answer, dict) else answer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    bodies = list(corpus.requests(options.records))
    fifth = len(bodies) // 5
    print("%s, %d cores, %s; %d records in %d requests, %.0f MB" % (
        datetime.date.today(), os.cpu_count(), cpu_model(), options.records, len(bodies), sum(map(len, bodies)) / 1e6))
    print("\n| | records/s | CPU s, acknowledged | CPU s, then settled | peak MB | bytes per record on disk |\n|---|---|---|---|---|---|", flush=True)
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(Ours()); ingest(table, bodies, options.records)
        peers = [stack.enter_context(peer()) for peer, variable in ((VictoriaLogs, "VICTORIA_LOGS"), (Loki, "LOKI")) if os.environ.get(variable)]
        for peer in peers: ingest(peer, bodies, options.records)
        partly = stack.enter_context(Ours(arguments=["--no-shift"]))
        load(partly, bodies[:-fifth], TENANT); partly.flush(); load(partly, bodies[-fifth:], TENANT)
        pick = queries.values_of(table)
        clients = [LogQL(table), LogQL(partly)] + [LogsQL(p, logsql(pick)) if isinstance(p, VictoriaLogs) else LogQL(p) for p in peers]
        names = ["ours", "with a fifth in the WAL"] + [p.name for p in peers]
        print("\nmedians of %d, milliseconds (processor milliseconds); * marks an answer that is not ours (sums over rows, to 0.01 %%)\n" % options.runs)
        print("| query | %s |\n|---%s|" % (" | ".join(names), "|---" * len(names)))
        sums, wrong = [0.0] * len(names), []
        for title, kind, text, parameters, _ in queries.questions(pick):
            cells, weights = [], []
            for n, client in enumerate(clients):
                wall, cpu, body = client.measure(client.path(title, kind, text, parameters), options.runs)
                sums[n] += wall
                weights.append(client.weight(kind, body))
                same = abs(weights[-1] - weights[0]) <= (1e-9 if n == 1 else 1e-4) * abs(weights[0])  # windows of ours and Loki's are open on the left
                if not same and n == 1: wrong.append(title)
                cells.append("%.1f (%.1f)%s" % (wall, cpu, "" if same else "*"))
            print("| %s | %s |" % (title, " | ".join(cells)), flush=True)
        print("| sum | %s |" % " | ".join("%.1f" % s for s in sums))
        assert not wrong, "answers differ with a fifth in the WAL: " + ", ".join(wrong)


if __name__ == "__main__": main()
