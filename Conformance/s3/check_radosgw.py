"""The contracts against radosgw, where Debian's packages of it are installed: a real S3 that refuses wrong secrets and compares bare tags."""
import os, re, shutil, signal, subprocess, sys, tempfile, threading
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "services"))
from harness import check, free_port, main


class Radosgw:
    def __enter__(self):
        self.folder, self.port = tempfile.mkdtemp(prefix="icegate-ceph-"), free_port()
        self.process = subprocess.Popen([os.path.join(os.path.dirname(__file__), "radosgw.sh"), self.folder, str(free_port()), str(self.port)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = []
        reader = threading.Thread(target=lambda: ready.append(self.process.stdout.readline()), daemon=True)
        reader.start(); reader.join(120)
        if ready != ["ready\n"]:
            logs = [open(os.path.join(self.folder, "log", name), errors="replace").read()[-1500:] for name in ("mon.out", "osd.out", "rgw.out")
                    if os.path.exists(os.path.join(self.folder, "log", name))]
            self.__exit__()
            raise AssertionError("radosgw did not start\n" + "\n".join(logs))
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM); self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def missing():
    """Why there is no radosgw here; None when there is."""
    tools = [tool for tool in ("radosgw", "ceph-mon", "ceph-osd", "ceph", "radosgw-admin", "monmaptool") if not shutil.which(tool)]
    return "%s not installed; `scripts/install --with-radosgw` does" % ", ".join(tools) if tools else None


@check("on radosgw the S3 store keeps the contract of object stores, the object-store catalog that of catalogs")
def contract(_):
    if missing(): return missing()
    with Radosgw() as server:
        result = subprocess.run(["swift", "test", "--skip-build", "--filter", "S3(Catalog)?ContractTests"], capture_output=True, text=True, timeout=600,
                                env={**os.environ, "ICEGATE_TEST_S3": "http://127.0.0.1:%d" % server.port, "ICEGATE_TEST_S3_KEY": "test", "ICEGATE_TEST_S3_SECRET": "testsecret"})
    found = re.search(r"Test run with (\d+) tests? .*passed", result.stdout)
    assert result.returncode == 0 and found and int(found.group(1)) >= 6, "\n".join(l for l in result.stdout.splitlines() if "recorded" in l)[-4000:]


@check("on radosgw services are killed again and again: every record is there exactly once")
def killed(_):
    if missing(): return missing()
    with Radosgw() as server:
        done = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "..", "exactly_once", "check_kill_s3.py")], capture_output=True, text=True, timeout=500, env={
            **os.environ, "ICEGATE_KILL_ENDPOINT": "http://127.0.0.1:%d" % server.port, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret",
            "ICEGATE_KILL_SECONDS": os.environ.get("ICEGATE_KILL_SECONDS", "30")})
    print("\n".join(l for l in done.stdout.splitlines() if l.startswith("#")), flush=True)
    assert done.returncode == 0, done.stdout[-3000:]


if __name__ == "__main__": main(None)
