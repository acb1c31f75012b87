"""The store contract, run by `swift test` against a real S3 server (moto) started here."""
import os, re, subprocess, sys, time, socket
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import check, free_port, main


@check("on moto the S3 store keeps the contract of object stores, the object-store catalog that of catalogs")
def moto(_):
    port = free_port()
    server = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0: break
            time.sleep(0.1)
        result = subprocess.run(["swift", "test", "--skip-build", "--filter", "S3(Catalog)?ContractTests"], capture_output=True, text=True, timeout=600,
                                env={**os.environ, "ICEGATE_TEST_S3": "http://127.0.0.1:%d" % port})
    finally:
        server.terminate(); server.wait()
    found = re.search(r"Test run with (\d+) tests? .*passed", result.stdout)
    assert result.returncode == 0 and found and int(found.group(1)) >= 6, result.stdout[-3000:]


if __name__ == "__main__": main(None)
