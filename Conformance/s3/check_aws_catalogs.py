"""Glue and S3 Tables on moto. Its Glue takes updates with stale versions: a proxy in front refuses them, as the real one does."""
import http.client, http.server, json, os, re, subprocess, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "services"))
from harness import check, main
from services import ENVIRONMENT, Moto


class CheckingProxy:
    """Passes requests on to moto one at a time, and compares the version of every UpdateTable first."""

    def __init__(self, port):
        proxy, self.refused, self.lock = self, 0, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def exchange(self, headers, body):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()

            def update(self, headers, body):
                wanted = json.loads(body)
                name = {"DatabaseName": wanted["DatabaseName"], "Name": wanted["TableInput"]["Name"]}
                found = self.exchange({**{k: v for k, v in headers.items() if k.lower() not in ("x-amz-target", "content-length")},
                                       "X-Amz-Target": "AWSGlue.GetTable"}, json.dumps(name))
                if found[0] != 200: return found
                if json.loads(found[2])["Table"]["VersionId"] == wanted.get("VersionId"): return self.exchange(headers, body)
                proxy.refused += 1
                return 400, [], b'{"__type": "ConcurrentModificationException", "Message": "Update table failed due to concurrent modifications."}'

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                if self.headers.get("X-Amz-Target") == "AWSGlue.UpdateTable":
                    with proxy.lock: status, sent, answer = self.update(headers, body)
                else: status, sent, answer = self.exchange(headers, body)
                self.send_response(status)
                for name, value in sent:
                    if name.lower() in ("content-type", "x-amzn-errortype"): self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer))); self.end_headers(); self.wfile.write(answer)

            def log_message(self, *_): pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@check("Glue and S3 Tables keep the contract of catalogs as far as they go")
def contract(_):
    with Moto() as moto:
        arn = moto.table_bucket("our-tables")
        proxy = CheckingProxy(moto.port)
        result = subprocess.run(["swift", "test", "--skip-build", "--filter", "AWSCatalogContractTests"], capture_output=True, text=True, timeout=600,
                                env={**os.environ, **ENVIRONMENT, "ICEGATE_TEST_GLUE": proxy.url, "ICEGATE_TEST_MOTO": moto.url, "ICEGATE_TEST_TABLE_BUCKET": arn})
    found = re.search(r"Test run with (\d+) tests? .*passed", result.stdout)
    assert result.returncode == 0 and found and int(found.group(1)) >= 3, result.stdout[-4000:]
    print("# %d stale updates refused" % proxy.refused)
    assert proxy.refused > 10


if __name__ == "__main__": main(None)
