"""Every curl command of the manual's Quick Start for logs works as it stands."""
import glob, json, os, re, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import PORTS, Server, check, main

FOLDER = os.path.join(os.path.dirname(__file__), "../../Fixtures/examples/quickstart")


def run(server, name):
    """The script's answer as JSON; it must be a success."""
    text = open(os.path.join(FOLDER, name)).read()
    for port in PORTS: text = text.replace("localhost:%d" % PORTS[port], "127.0.0.1:%d" % server.port(port))
    text = text.replace("curl ", "curl -sS --fail-with-body ", 1) if not text.startswith("#") else re.sub(r"^curl ", "curl -sS --fail-with-body ", text, flags=re.M)
    result = subprocess.run(["bash", "-c", text], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    return json.loads(result.stdout)


@check("01 sends a log record")
def send(server):
    assert run(server, "01-send-logs.sh") == {"partialSuccess": {}}
    time.sleep(1.1)  # the end of a range is exclusive, and the commands round it down to a second


@check("02 finds it with its labels")
def basic(server):
    answer = run(server, "02-basic-log-query.sh")
    assert answer["status"] == "success" and answer["data"]["resultType"] == "streams"
    (stream,) = answer["data"]["result"]
    assert stream["stream"] == {"service_name": "my-service", "severity_text": "INFO", "user_id": "user-42", "http_method": "POST"}, stream
    assert [line for _, line in stream["values"]] == ["User login successful"]


@check("03 finds no errors")
def severity(server): assert run(server, "03-filter-by-severity.sh")["data"]["result"] == []


@check("04 finds it by its content")
def search(server):
    (stream,) = run(server, "04-search-log-content.sh")["data"]["result"]
    assert len(stream["values"]) == 1


@check("05 counts it in some window")
def count(server):
    # Steps lie on multiples of five minutes, so a record of this very moment may not be in a window yet.
    answer = run(server, "05-count-per-window.sh")
    assert answer["data"]["resultType"] == "matrix"
    assert all(float(v) == 1 for s in answer["data"]["result"] for _, v in s["values"])


@check("06 has no error rate")
def rate(server): assert run(server, "06-error-rate.sh")["data"] ["result"] == []


@check("07 lists the labels")
def labels(server): assert run(server, "07-list-labels.sh")["data"] == ["service_name", "severity_text"]


@check("08 lists the values of service_name")
def values(server): assert run(server, "08-label-values.sh") == {"status": "success", "data": ["my-service"]}


@check("09 finds the series")
def series(server): assert run(server, "09-matching-series.sh")["data"] == [{"service_name": "my-service", "severity_text": "INFO"}]


@check("10 shows nothing to another tenant")
def tenant(server): assert run(server, "10-only-the-own-tenant.sh")["data"]["result"] == []


@check("every script of the folder is checked here")
def complete(server):
    text = open(__file__).read()
    for script in sorted(glob.glob(FOLDER + "/*.sh")): assert '"%s"' % os.path.basename(script) in text, script


if __name__ == "__main__":
    with Server() as server: main(server)
