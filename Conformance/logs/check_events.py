"""Named log records become rows of the events table too, by a consumer of its own."""
import json, os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main


@check("records with an event name, as a field or an attribute, are rows of events and of logs")
def events(server):
    at = time.time_ns()
    text = lambda key, value: {"key": key, "value": {"stringValue": value}}
    records = [{"timeUnixNano": str(at), "eventName": "browser.page.load", "body": {"stringValue": "a"}},
               {"timeUnixNano": str(at + 1000), "attributes": [text("event.name", "login"), text("event.domain", "user")], "body": {"stringValue": "b"}},
               {"timeUnixNano": str(at + 2000), "body": {"stringValue": "c"}}]
    body = json.dumps({"resourceLogs": [{"resource": {"attributes": [text("service.name", "web")]}, "scopeLogs": [{"logRecords": records}]}]})
    status, _, answer = server.request("otlp", "POST", "/v1/logs", body.encode(), {"Content-Type": "application/json"})
    assert status == 200, answer
    server.flush()
    rows = server.catalog().load_table("icegate.events").scan().to_arrow().to_pylist()
    got = sorted((r["event_domain"], r["event_name"], r["service_name"], r["tenant_id"]) for r in rows)
    assert got == [("browser.page", "browser.page.load", "web", "default"), ("user", "login", "web", "default")], got
    assert server.catalog().load_table("icegate.logs").scan().to_arrow().num_rows == 3


@check("what both tables have taken is gone from the queue after a flush")
def queue(server):
    left = [f for _, _, names in os.walk(server.data + "/wal") for f in names if f.endswith(".parquet") and not f.startswith("00000000000000000000")]
    assert not left, left


if __name__ == "__main__":
    with Server() as server: main(server)
