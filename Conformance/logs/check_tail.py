"""`tail` over WebSocket with an independent client, and `icegate logs --follow`."""
import asyncio, json, os, signal, subprocess, sys, time, urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main
import websockets


def push(server, lines, tenant="t"):
    body = {"streams": [{"stream": {"service_name": "web"}, "values": [[str(time.time_ns()), line] for line in lines]}]}
    status, _, answer = server.request("loki", "POST", "/loki/api/v1/push", json.dumps(body), {"Content-Type": "application/json", "X-Scope-OrgID": tenant})
    assert status == 204, (status, answer)


def url(server, **params):
    return "ws://127.0.0.1:%d/loki/api/v1/tail?%s" % (server.port("loki"), urllib.parse.urlencode({"query": '{service_name="web"}', **params}))


def lines_of(message):
    return [value[1] for stream in json.loads(message)["streams"] for value in stream["values"]]


@check("history, then every line once while rows move from the log to the table; pings are answered; a close is answered")
def once(server):
    async def run():
        await asyncio.to_thread(push, server, ["old %d" % i for i in range(5)])
        got = []
        async with websockets.connect(url(server, limit=3), additional_headers={"X-Scope-OrgID": "t"}) as socket:
            async def read():
                async for message in socket: got.extend(lines_of(message))
            reading = asyncio.create_task(read())
            while len(got) < 3: await asyncio.sleep(0.05)
            expected = []
            for round in range(30):
                new = ["line %d %d" % (round, i) for i in range(40)]
                expected += new
                await asyncio.to_thread(push, server, new)
                if round % 4 == 0: await asyncio.to_thread(server.flush)
            await asyncio.to_thread(push, server, ["not ours"], "other")
            await asyncio.wait_for(await socket.ping(), 5)
            deadline = time.time() + 20
            while len(got) < 3 + len(expected) and time.time() < deadline: await asyncio.sleep(0.1)
            await asyncio.sleep(1.2)
            reading.cancel()
        assert got[:3] == ["old 2", "old 3", "old 4"], got[:3]
        assert sorted(got[3:]) == sorted(expected), (len(got), len(expected))
        assert socket.close_code == 1000, socket.close_code
    asyncio.run(run())


@check("delay_for holds lines back; what is wrong is told before the upgrade")
def parameters(server):
    async def run():
        async with websockets.connect(url(server, limit=1, delay_for=2), additional_headers={"X-Scope-OrgID": "d"}) as socket:
            await asyncio.sleep(0.7)
            await asyncio.to_thread(push, server, ["held"], "d")
            start = time.time()
            assert lines_of(await asyncio.wait_for(socket.recv(), 10)) == ["held"]
            assert time.time() - start > 1.4, time.time() - start
        for params, status in [({"query": "{bad"}, 400), ({"delay_for": 6}, 400), ({"query": 'rate({a="b"}[1m])'}, 400), ({"limit": -1}, 400)]:
            try:
                async with websockets.connect(url(server, **params)): raise AssertionError(params)
            except websockets.exceptions.InvalidStatus as refused:
                assert refused.response.status_code == status, params
    asyncio.run(run())


def logs(server, *words, status=0):
    command = [os.environ["ICEGATE"], "logs", *words, "--addr", "http://127.0.0.1:%d" % server.port("loki"), "--tenant", "t"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


@check("icegate logs: lines, JSON, pages beyond one request, series, labels, exit statuses")
def command(server):
    push(server, ["many %04d" % i for i in range(2500)], "t")
    assert logs(server, '{service_name="web"} |= "many"', "-o", "raw", "-n", "2").stdout == "many 2498\nmany 2499\n"
    everything = logs(server, '{service_name="web"} |= "many"', "-o", "raw", "--limit", "0").stdout.split("\n")[:-1]
    assert everything == ["many %04d" % i for i in range(2500)], len(everything)
    entry = json.loads(logs(server, '{service_name="web"} |= "many 0001"', "-o", "jsonl").stdout)
    assert entry["line"] == "many 0001" and entry["labels"] == {"service_name": "web"} and entry["timestamp"].endswith("Z"), entry
    assert logs(server, "labels", "service_name").stdout == "web\n"
    assert logs(server, 'count_over_time({service_name="web"} |= "many" [1h])', "--instant", "-o", "raw").stdout == "2500\n"
    assert "parse error" in logs(server, "{bad", status=2).stderr
    assert "--since" in logs(server, "{}", "--since", "soon", status=2).stderr
    broken = subprocess.run([os.environ["ICEGATE"], "logs", '{a="b"}', "--addr", "http://127.0.0.1:1"], capture_output=True, text=True)
    assert broken.returncode == 1 and "onnect" in broken.stderr, broken


@check("icegate logs --follow prints what comes, and finds its way back when the server was away")
def follow(server):
    command = [os.environ["ICEGATE"], "logs", '{service_name="web"} |= "followed"', "-f", "-o", "raw", "--addr", "http://127.0.0.1:%d" % server.port("loki"), "--tenant", "t"]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        os.set_blocking(follower.stdout.fileno(), False)
        seen = ""
        def wait(count):
            nonlocal seen
            deadline = time.time() + 30
            while seen.count("\n") < count and time.time() < deadline:
                time.sleep(0.1)
                seen += (follower.stdout.read() or b"").decode()
            return seen.split("\n")[:-1]
        push(server, ["followed 1"])
        assert wait(1) == ["followed 1"], seen
        push(server, ["followed 2"])
        assert wait(2) == ["followed 1", "followed 2"], seen
        server.stop()
        server.start()
        push(server, ["followed 3"])
        assert wait(3) == ["followed 1", "followed 2", "followed 3"], seen
        time.sleep(1)
        assert wait(3) == ["followed 1", "followed 2", "followed 3"], seen
    finally:
        follower.send_signal(signal.SIGINT)
        follower.wait(10)


if __name__ == "__main__":
    with Server() as server: main(server)
