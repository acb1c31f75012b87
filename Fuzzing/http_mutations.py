"""Changes HTTP/1.1 and HTTP/2 conversations at random and holds them with a live server: usage: http_mutations.py SECONDS [SEED]

Whatever comes, the server lives, answers /health on a new connection, and takes no more memory than its limits allow. ICEGATE names the program.
"""
import os, random, select, socket, struct, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Conformance"))
from harness import Server

MEMORY_MAX = 600 << 20
BODY = bytes.fromhex("0a2b0a130a110a0c736572766963652e6e616d6512010a12140a00121009010000000000000042020a0061")


def one(method, path, fields=(), body=b""):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: localhost"] + list(fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def request2(stream, path, content, body):
    head = b"".join(literal(*f) for f in ((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "a"), ("content-type", content), ("te", "trailers")))
    return frame(1, 4, stream, head) + frame(0, 1, stream, body)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
SEEDS = [
    one("GET", "/health"),
    one("POST", "/v1/logs", ["Content-Type: application/x-protobuf", "Content-Length: %d" % len(BODY)], BODY) + one("GET", "/health", ["Connection: close"]),
    one("POST", "/v1/logs", ["Content-Type: application/json", "Transfer-Encoding: chunked"], b'5;a=b\r\n{"res\r\n7\r\nourceLo\r\n0\r\nX-T: y\r\n\r\n'),
    one("POST", "/v1/traces?a=%7B", ["Content-Length: 10", "Expect: 100-continue", "Content-Encoding: gzip"], b"\x1f\x8b\x08" + bytes(7)),
    PREFACE + request2(1, "/v1/logs", "application/x-protobuf", BODY) + request2(3, "/health", "text/plain", b""),
    PREFACE + request2(1, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "application/grpc", b"\0" + struct.pack(">I", len(BODY)) + BODY)
    + frame(6, 0, 0, bytes(8)) + frame(8, 0, 0, struct.pack(">I", 1000)) + frame(3, 0, 1, struct.pack(">I", 8)) + frame(7, 0, 0, bytes(8)),
    PREFACE + frame(1, 0, 1, literal(":method", "GET")) + frame(9, 0, 1, literal(":path", "/")) + frame(9, 4, 1, literal(":scheme", "http")),
]
PIECES = [b"\r\n", b"\0", b"\xff" * 4, b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n", frame(4, 0, 0, struct.pack(">HI", 4, 2**31 - 1)),
          frame(4, 0, 0, struct.pack(">HI", 1, 0)), frame(8, 0, 0, struct.pack(">I", 2**31 - 1)), frame(2, 0, 1, bytes(5)), frame(5, 4, 1, bytes(8)), frame(1, 0x2D, 5, bytes(20))]


def changed(r, data):
    data = bytearray(data)
    for _ in range(r.choice((1, 1, 2, 4, 16))):
        at, kind = r.randrange(len(data) + 1), r.randrange(7)
        if kind == 0 and at < len(data): data[at] ^= 1 << r.randrange(8)
        elif kind == 1 and at < len(data): data[at] = r.randrange(256)
        elif kind == 2: del data[at:at + r.choice((1, 2, 9, 100))]
        elif kind == 3: data[at:at] = r.choice(PIECES)
        elif kind == 4: data[at:at] = data[max(0, at - r.randrange(1, 64)):at] * r.choice((1, 2, 50))
        elif kind == 5: data[at:at] = r.choice(SEEDS)[r.randrange(24):]
        else: data[at:at] = r.randbytes(r.choice((1, 4, 30)))
        if not data: data = bytearray(b"G")
    return bytes(data)


def talk(r, port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.setblocking(False)
        pieces, at = r.choice((1, 1, 3, len(data) if len(data) < 200 else 5)), 0
        until, step = time.time() + 0.2, max(1, len(data) // pieces)
        try:
            while time.time() < until:
                readable, writable, _ = select.select([s], [s] if at < len(data) else [], [], 0.02)
                if readable and not s.recv(1 << 16): return
                if writable: at += s.send(data[at:at + step])
                if at >= len(data) and not readable and r.random() < 0.5: return
        except OSError: return


def memory(pid):
    return next(int(l.split()[1]) << 10 for l in open("/proc/%d/status" % pid) if l.startswith("RssAnon:"))


def main():
    seconds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    r, runs = random.Random(seed), 0
    with Server() as server:
        until = time.time() + seconds
        while time.time() < until:
            data = changed(r, r.choice(SEEDS))
            talk(r, server.port(r.choice(("otlp", "grpc"))), data); runs += 1
            if server.process.poll() is not None:
                print("not ok http: the server ended with %s after %d conversations of seed %d, the last %r" % (server.process.returncode, runs, seed, data)); sys.exit(1)
            if runs % 200 == 0:
                status = server.request("otlp", "GET", "/health", timeout=60)[0]
                assert status == 200 and memory(server.process.pid) < MEMORY_MAX, (status, memory(server.process.pid), seed, runs)
        used = memory(server.process.pid)
        code = server.stop()
        assert code == 0, (code, seed)
    print("ok http: %d conversations in %d s, seed %d, %d MB at the end" % (runs, seconds, seed, used >> 20))


if __name__ == "__main__": main()
