"""A proxy that holds every exchange it passes on against the OpenAPI document of the Iceberg REST protocol. Standard library and
openapi-schema-validator only."""
import gzip, http.client, http.server, json, os, re, threading, urllib.parse

import yaml
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "Fixtures", "iceberg", "rest-catalog-open-api.yaml.gz")


class Protocol:
    """The document, asked by method and path."""

    def __init__(self):
        with gzip.open(DOCUMENT, "rt") as file:
            self.document = yaml.safe_load(file)
        resource = Resource(contents=self.document, specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:iceberg", resource)
        self.routes = []
        for path, operations in self.document["paths"].items():
            # One server serves one catalog: {prefix} is empty, or anything.
            for pattern in {path, path.replace("/{prefix}", "")}:
                expression = re.compile("^" + re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(pattern)) + "$")
                self.routes.append((pattern.count("{"), expression, path, operations))
        self.routes.sort(key=lambda route: route[0])

    def operation(self, method, path):
        for _, expression, template, operations in self.routes:
            if expression.match(path) and method.lower() in operations:
                return template, operations[method.lower()]
        return None, None

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            at = self.document
            for part in node["$ref"].lstrip("#/").split("/"): at = at[part.replace("~1", "/")]
            node = at
        return node

    def faults(self, schema, value):
        pinned = json.loads(json.dumps(schema).replace('"#/components', '"urn:iceberg#/components'))
        validator = OAS31Validator(pinned, registry=self.registry)
        return ["%s at %s" % (e.message[:300], "/".join(map(str, e.absolute_path))) for e in validator.iter_errors(value)]

    def judge(self, method, path, request, status, body):
        """What of an exchange is not as the document says."""
        template, operation = self.operation(method, path)
        if operation is None: return ["%s %s is no route of the protocol" % (method, path)]
        faults, name = [], "%s %s" % (method, template)
        content = self.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
        if content and request: faults += ["%s request: %s" % (name, f) for f in self.faults(content["schema"], json.loads(request))]
        responses = operation["responses"]
        answer = responses.get(str(status)) or responses.get("%dXX" % (status // 100)) or responses.get(status)
        if answer is None: return faults + ["%s answered %d, which is not of the protocol" % (name, status)]
        content = self.resolve(answer).get("content", {}).get("application/json")
        if content and method != "HEAD":
            if not body: faults.append("%s %d: no body" % (name, status))
            else: faults += ["%s %d response: %s" % (name, status, f) for f in self.faults(content["schema"], json.loads(body))]
        elif body: faults.append("%s %d: a body where none belongs" % (name, status))
        return faults


class ValidatingProxy:
    """Listens on a port of its own and passes everything on to `target`; `faults` and `exchanges` tell what went through."""

    def __init__(self, target, strip=""):
        self.target, self.strip, self.protocol, self.faults, self.exchanges = target, strip, Protocol(), [], []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = self.rfile.read(length) if length else b""
                connection = http.client.HTTPConnection(*proxy.target, timeout=120)
                connection.request(self.command, self.path, request or None,
                                   {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")})
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                path = urllib.parse.urlsplit(self.path).path
                if path.startswith(proxy.strip): path = path[len(proxy.strip):]
                if self.headers.get("Content-Encoding") == "gzip": request = gzip.decompress(request)
                form = "x-www-form" in (self.headers.get("Content-Type") or "")
                proxy.exchanges.append((self.command, path, answer.status))
                proxy.faults += proxy.protocol.judge(self.command, path, b"" if form else request, answer.status, body)
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"): self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)

            do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = pass_on

            def log_message(self, *_): pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self): return self

    def __exit__(self, *_): self.server.shutdown(); self.server.server_close()
