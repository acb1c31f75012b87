"""What Grafana's Loki data source asks, as it asks it: parameters, headers, and the members it reads of the answers."""
import gzip, json, os, sys, time, urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

NOW = time.time_ns() // 10**9 * 10**9
START, END = NOW - 3600 * 10**9, NOW + 60 * 10**9
QUERY = '{service_name="shop"}'
RANGE = {"start": START, "end": END}
GRAFANA = {"X-Loki-Response-Encoding-Flags": "categorize-labels", "X-Query-Tags": "Source=grafana",
           "User-Agent": "Grafana/11.2.0", "Accept-Encoding": "gzip", "X-Scope-OrgID": "g"}


def ask(server, path, status=200, **params):
    target = "/loki/api/v1/" + path + "?" + urllib.parse.urlencode(params, doseq=True)
    got, headers, body = server.request("loki", "GET", target, headers=GRAFANA)
    assert got == status, (got, target, body[:500])
    assert headers["content-type"].startswith("application/json"), headers
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
        assert len(body) >= 1400 and "Accept-Encoding" in headers["vary"], (len(body), headers)
    else:
        assert len(body) < 1400, len(body)
    return json.loads(body)


@check("push as an agent does: streams with structured metadata")
def push(server):
    values = {level: [[str(NOW - i * 10**9 - offset), 'msg="order %d" status=%d took=%dms' % (i, 200 + i % 2 * 300, i), {"trace_id": "%032x" % i}]
                      for i in range(120)] for offset, level in enumerate(["info", "error"])}
    body = {"streams": [{"stream": {"service_name": "shop", "level": level, "env": "prod"}, "values": v} for level, v in values.items()]}
    status, _, answer = server.request("loki", "POST", "/loki/api/v1/push", json.dumps(body), {"Content-Type": "application/json", "X-Scope-OrgID": "g"})
    assert status == 204, (status, answer)


@check("the health check: vector(1)+vector(1)")
def health(server):
    answer = ask(server, "query", query="vector(1)+vector(1)", time=str(4 * 10**9), direction="backward", limit=100)
    assert answer["status"] == "success" and answer["data"]["resultType"] == "vector", answer
    assert answer["data"]["result"] == [{"metric": {}, "value": [4 * 10**9, "2"]}], answer


@check("labels and values, with and without a selector")
def labels(server):
    assert ask(server, "labels", **RANGE) == {"status": "success", "data": ["env", "level", "service_name"]}
    assert ask(server, "label/level/values", query='{service_name="shop"}', **RANGE)["data"] == ["error", "info"]
    assert ask(server, "label/nosuch/values", **RANGE)["data"] == []
    assert ask(server, "labels", start=1, end=2)["data"] == []


@check("series of a selector")
def series(server):
    answer = ask(server, "series", **{"match[]": QUERY}, **RANGE)
    assert sorted(s["level"] for s in answer["data"]) == ["error", "info"] and answer["status"] == "success", answer


@check("a log panel: query_range with a step in milliseconds, labels by category, stats with true numbers")
def lines(server):
    answer = ask(server, "query_range", query=QUERY + " | logfmt", step="15000ms", direction="backward", limit=1000, **RANGE)
    data = answer["data"]
    assert data["resultType"] == "streams" and data["encodingFlags"] == ["categorize-labels"], data.keys()
    assert sum(len(s["values"]) for s in data["result"]) == 240
    entry = data["result"][0]["values"][0]
    assert set(data["result"][0]["stream"]) == {"service_name", "level", "env"}, data["result"][0]["stream"]
    assert set(entry[2]) == {"structuredMetadata", "parsed"} and set(entry[2]["parsed"]) == {"msg", "status", "took"}, entry
    summary = data["stats"]["summary"]
    assert summary["totalLinesProcessed"] == 240 and summary["totalEntriesReturned"] == 240 and summary["totalBytesProcessed"] > 0, summary
    assert {"summary", "querier", "ingester", "cache", "index"} <= set(data["stats"]), data["stats"].keys()


@check("the log volume above it, and a time series panel")
def volume(server):
    query = "sum by (level, detected_level) (count_over_time(%s | drop __error__[1m]))" % QUERY
    result = ask(server, "query_range", query=query, step="60000ms", **RANGE)["data"]["result"]
    assert sum(int(v) for s in result for _, v in s["values"]) == 240, result
    result = ask(server, "query_range", query='sum(rate(%s | logfmt | status="500" [1m]))' % QUERY, step=60, **RANGE)["data"]["result"]
    assert len(result) == 1 and all(isinstance(t, int) and isinstance(v, str) for t, v in result[0]["values"]), result[:1]


@check("the size of a query before it runs: index/stats")
def stats(server):
    answer = ask(server, "index/stats", query=QUERY, **RANGE)
    assert answer["streams"] == 2 and answer["entries"] == 240 and answer["bytes"] > 0 and set(answer) == {"streams", "chunks", "bytes", "entries"}, answer


@check("logs drilldown: index/volume by service, its range, patterns, detected labels and fields")
def drilldown(server):
    answer = ask(server, "index/volume", query='{service_name=~".+"}', targetLabels="service_name", limit=5000, **RANGE)
    assert answer["data"]["resultType"] == "vector", answer
    (one,) = answer["data"]["result"]
    assert one["metric"] == {"service_name": "shop"} and int(one["value"][1]) > 5000, one
    answer = ask(server, "index/volume_range", query=QUERY, targetLabels="level", step="10m", **RANGE)
    assert {s["metric"]["level"] for s in answer["data"]["result"]} == {"info", "error"}, answer
    names = ask(server, "index/volume", query=QUERY, aggregateBy="labels", **RANGE)["data"]["result"]
    assert [s["metric"] for s in names] == [{"env": ""}, {"level": ""}, {"service_name": ""}], names
    patterns = ask(server, "patterns", query=QUERY, step="60s", **RANGE)["data"]
    assert sorted((p["level"], p["pattern"]) for p in patterns) == [(l, 'msg="order <_>" status=<_> took=<_>') for l in ("error", "info")], patterns
    assert all(sum(c for _, c in p["samples"]) == 120 for p in patterns), patterns
    labels = {l["label"]: l["cardinality"] for l in ask(server, "detected_labels", query=QUERY, **RANGE)["detectedLabels"]}
    assert labels == {"env": 1, "level": 2, "service_name": 1}, labels
    fields = {f["label"]: f for f in ask(server, "detected_fields", query=QUERY, limit=1000, line_limit=1000, **RANGE)["fields"]}
    assert fields["status"]["type"] == "int" and fields["took"]["type"] == "duration" and fields["status"]["parsers"] == ["logfmt"], fields
    assert sorted(ask(server, "detected_field/status/values", query=QUERY, **RANGE)["values"]) == ["200", "500"]


@check("errors: the status says what it is, the message is Loki's, the body is JSON")
def errors(server):
    answer = ask(server, "query_range", 400, query='{service_name="shop"} |= ', **RANGE)
    assert answer["status"] == "error" and answer["error"].startswith("parse error at line 1, col "), answer
    assert "max_entries_limit_per_query (6000 > 5000)" in ask(server, "query_range", 400, query=QUERY, limit=6000, **RANGE)["error"]
    long = ask(server, "query_range", 400, query=QUERY, start=END - 40 * 86400 * 10**9, end=END)
    assert long["error"] == "the query time range exceeds the limit (query length: 960h0m0s, limit: 30d1h)", long
    points = ask(server, "query_range", 400, query="sum(rate(%s[1m]))" % QUERY, step="1ms", **RANGE)
    assert points["error"].startswith("exceeded maximum resolution of 11,000 points"), points
    assert ask(server, "nosuch", 404)["errorType"] == "not_found"
    limits = ask(server, "drilldown-limits")
    assert limits["limits"]["max_query_length"] == "30d1h" and limits["pattern_ingester_enabled"], limits


@check("queries of 60 KB may come as a GET; what HTTP itself refuses is told in JSON too")
def sizes(server):
    long = QUERY + " |= " + " or ".join('"%s"' % (str(i) * 40) for i in range(1000))
    assert ask(server, "query_range", query=long, **RANGE)["data"]["result"] == []
    status, headers, body = server.request("loki", "GET", "/loki/api/v1/labels", headers={"X-Long": "x" * 60000})
    assert status == 431 and json.loads(body)["status"] == "error", (status, body)
    status, headers, body = server.request("loki", "GET", "/loki/api/v1/query?query=" + "x" * 300000)
    assert status == 414 and json.loads(body)["errorType"] == "bad_data", (status, body)


@check("forms: what a POST body asks is answered as a GET's query")
def forms(server):
    body = urllib.parse.urlencode({"query": QUERY, "limit": 3, **RANGE})
    headers = {**GRAFANA, "Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "identity"}
    status, _, got = server.request("loki", "POST", "/loki/api/v1/query_range", body, headers)
    assert status == 200 and sum(len(s["values"]) for s in json.loads(got)["data"]["result"]) == 3
    status, _, got = server.request("loki", "POST", "/loki/api/v1/series", urllib.parse.urlencode({"match[]": QUERY, **RANGE}), headers)
    assert status == 200 and len(json.loads(got)["data"]) == 2


def reads(server, status=""):
    """How many range queries were answered so far (of one status, when given)."""
    wanted = b'icegate_query_requests_total{api="loki",route="query_range",status="%s' % status.encode()
    lines = server.request("metrics", "GET", "/metrics")[2].split(b"\n")
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(wanted))


@check("clients that go away: their queries end, and are counted as such")
def cancelled(server):
    import socket
    values = [[str(NOW - i * 10**6), "GET /api/orders/%d?user=%d took %dms" % (i, i * 7, i % 900)] for i in range(60000)]
    for part in range(0, len(values), 20000):
        body = {"streams": [{"stream": {"service_name": "busy"}, "values": values[part:part + 20000]}]}
        status, _, answer = server.request("loki", "POST", "/loki/api/v1/push", json.dumps(body), {"Content-Type": "application/json", "X-Scope-OrgID": "g"})
        assert status == 204, (status, answer)
    query = 'sum by (user, path) (count_over_time({service_name="busy"} | regexp "(?P<path>/[a-z/]+)/(?P<id>[0-9]+).user=(?P<user>[0-9]+)" [5m]))'
    target = "/loki/api/v1/query_range?" + urllib.parse.urlencode({"query": query, "step": 1, **RANGE})
    text = ("GET %s HTTP/1.1\r\nHost: a\r\nX-Scope-OrgID: g\r\n\r\n" % target).encode()
    # A fast server may have answered the first before the last hangs up, a busy one may not have read the last: as many
    # as may wait at once, and again with another pause.
    for pause in [0, 0.02, 0.1, 0.5, 2]:
        before = reads(server)
        clients = [socket.create_connection(("127.0.0.1", server.port("loki"))) for _ in range(100)]
        for client in clients: client.sendall(text)
        time.sleep(pause)
        for client in clients: client.close()
        deadline = time.time() + 300
        while reads(server) < before + len(clients):
            assert time.time() < deadline, "%d of %d queries ended" % (reads(server) - before, len(clients))
            time.sleep(0.1)
        if reads(server, "499") > 0: break
    else:
        raise AssertionError("no query was counted as cancelled")
    assert reads(server, "5") == 0, server.request("metrics", "GET", "/metrics")[2]
    status, answer = server.get("loki", "/loki/api/v1/query_range", {"query": QUERY, "limit": 5, **RANGE}, tenant="g")
    assert status == 200 and sum(len(s["values"]) for s in answer["data"]["result"]) == 5, (status, answer)


@check("another tenant sees nothing of it")
def tenants(server):
    status, answer = server.get("loki", "/loki/api/v1/query_range", {"query": QUERY, **RANGE}, tenant="other")
    assert status == 200 and answer["data"]["result"] == []


if __name__ == "__main__":
    with Server() as server: main(server)
