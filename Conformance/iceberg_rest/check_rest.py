"""The Iceberg REST port of `icegate dev`, used by PyIceberg; every exchange is held against the protocol's OpenAPI document."""
import datetime, json, os, sys, urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
import pyarrow as pa
from harness import Server, check, main
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (CommitFailedException, NamespaceAlreadyExistsError, NamespaceNotEmptyError, NoSuchNamespaceError,
                                  NoSuchTableError, TableAlreadyExistsError)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform
from pyiceberg.types import DoubleType, LongType, NestedField, StringType
from validating import Protocol, ValidatingProxy

SCHEMA = Schema(NestedField(1, "id", LongType(), required=True), NestedField(2, "name", StringType()))
SPEC = PartitionSpec(PartitionField(source_id=1, field_id=1000, transform=BucketTransform(4), name="id_bucket"))


def rows(*ids):
    return pa.table({"id": pa.array(ids, pa.int64()), "name": pa.array(["n%d" % i for i in ids])},
                    schema=pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())]))


def catalog(proxy, **properties):
    return RestCatalog("icegate", uri="http://127.0.0.1:%d" % proxy.port, **properties)


def refused(error, action, *arguments, **named):
    try: action(*arguments, **named)
    except error: return
    raise AssertionError("%s was not raised" % error.__name__)


def raw(server, method, path, body=None):
    status, headers, answer = server.request("iceberg", method, path, json.dumps(body).encode() if body is not None else None,
                                             {"Content-Type": "application/json"})
    return status, json.loads(answer) if answer else None, headers


@check("PyIceberg works on tables over the REST port: create, append, evolve, conflict, time travel, rename, register, drop")
def pyiceberg(server):
    with ValidatingProxy(("127.0.0.1", server.port("iceberg"))) as proxy:
        c = catalog(proxy)
        c.create_namespace("shop", {"owner": "me"})
        refused(NamespaceAlreadyExistsError, c.create_namespace, "shop")
        c.create_namespace(("shop", "inner"))
        assert c.list_namespaces() == [("icegate",), ("shop",)], c.list_namespaces()
        assert c.list_namespaces("shop") == [("shop", "inner")]
        assert c.load_namespace_properties("shop") == {"owner": "me"}
        summary = c.update_namespace_properties("shop", removals={"owner", "absent"}, updates={"a": "b"})
        assert (summary.removed, summary.updated, summary.missing) == (["owner"], ["a"], ["absent"]), summary
        refused(NoSuchNamespaceError, c.create_table, "nowhere.t", SCHEMA)

        table = c.create_table("shop.orders", SCHEMA, partition_spec=SPEC, properties={"p": "q", "commit.retry.num-retries": "0"})
        refused(TableAlreadyExistsError, c.create_table, "shop.orders", SCHEMA)
        refused(NamespaceNotEmptyError, c.drop_namespace, "shop")
        assert c.list_tables("shop") == [("shop", "orders")] and c.table_exists("shop.orders") and not c.table_exists("shop.none")
        table.append(rows(1, 2, 3))
        first = table.current_snapshot().snapshot_id
        stale = c.load_table("shop.orders")
        table.append(rows(4))
        refused(CommitFailedException, stale.append, rows(5))

        with table.update_schema() as update: update.add_column("price", DoubleType())
        with table.update_spec() as update: update.add_identity("name")
        with table.transaction() as transaction: transaction.set_properties(p="r")
        found = c.load_table("shop.orders")
        assert [f.name for f in found.schema().fields] == ["id", "name", "price"] and found.properties["p"] == "r"
        assert sorted(found.scan().to_arrow()["id"].to_pylist()) == [1, 2, 3, 4]
        assert sorted(found.scan(snapshot_id=first).to_arrow()["id"].to_pylist()) == [1, 2, 3]
        found.delete("id = 2")
        assert sorted(c.load_table("shop.orders").scan().to_arrow()["id"].to_pylist()) == [1, 3, 4]

        c.rename_table("shop.orders", "shop.inner.bought")
        refused(NoSuchTableError, c.load_table, "shop.orders")
        location = c.load_table("shop.inner.bought").metadata_location
        c.drop_table("shop.inner.bought")
        refused(NoSuchTableError, c.drop_table, "shop.inner.bought")
        again = c.register_table("shop.again", location)
        assert sorted(again.scan().to_arrow()["id"].to_pylist()) == [1, 3, 4]
        with c.create_table_transaction("shop.staged", SCHEMA) as staged: staged.set_properties(made="at once")
        assert c.load_table("shop.staged").properties["made"] == "at once"
        for name in ("shop.again", "shop.staged"): c.drop_table(name)
        c.drop_namespace(("shop", "inner"))
        c.drop_namespace("shop")
        assert c.list_namespaces() == [("icegate",)]
        print("# %d exchanges held against the document" % len(proxy.exchanges))
        assert len(proxy.exchanges) > 40, proxy.exchanges
        assert not proxy.faults, "\n".join(proxy.faults)


@check("what is not as the document says is noticed")
def noticed(_):
    protocol = Protocol()
    good = b'{"namespaces": [["a"]]}'
    assert protocol.judge("GET", "/v1/namespaces", b"", 200, good) == []
    for method, path, request, status, body in [
            ("GET", "/v1/namespaces", b"", 200, b'{"namespaces": "a"}'), ("GET", "/v1/namespaces", b"", 200, b""),
            ("POST", "/v1/x/namespaces", b'{"properties": {}}', 200, b'{"namespace": ["a"]}'), ("GET", "/v1/elsewhere", b"", 200, good),
            ("POST", "/v1/namespaces/a/tables/t", b"", 200, b'{"metadata": {}}'), ("DELETE", "/v1/namespaces/a", b"", 204, b"{}")]:
        assert protocol.judge(method, path, request, status, body), (method, path)


@check("our own tables are there, and what was sent is read through the REST port")
def ours(server):
    body = json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "rest"}}]}, "scopeLogs": [
        {"logRecords": [{"timeUnixNano": str(1_800_000_000_000_000_000 + i), "body": {"stringValue": "line %d" % i}} for i in range(50)]}]}]})
    status, _, answer = server.request("otlp", "POST", "/v1/logs", body.encode(), {"Content-Type": "application/json", "X-Scope-OrgID": "rest"})
    assert status == 200, answer
    server.flush()
    with ValidatingProxy(("127.0.0.1", server.port("iceberg"))) as proxy:
        c = catalog(proxy)
        assert c.list_tables("icegate") == [("icegate", n) for n in ("events", "logs", "metrics", "spans")], c.list_tables("icegate")
        found = c.load_table("icegate.logs").scan(row_filter="tenant_id = 'rest'", selected_fields=("body",)).to_arrow()["body"].to_pylist()
        assert sorted(found) == sorted("line %d" % i for i in range(50)), len(found)
        assert not proxy.faults, "\n".join(proxy.faults)


@check("errors have the protocol's types, and a commit that lost is 409 CommitFailedException")
def errors(server):
    namespace = {"namespace": ["errors"], "properties": {}}
    assert raw(server, "POST", "/v1/namespaces", namespace)[0] == 200
    try:
        cases = [
            ("POST", "/v1/namespaces", namespace, 409, "AlreadyExistsException"),
            ("GET", "/v1/namespaces/none", None, 404, "NoSuchNamespaceException"),
            ("GET", "/v1/namespaces/errors/tables/none", None, 404, "NoSuchTableException"),
            ("POST", "/v1/namespaces", {"namespace": ["a.b"]}, 400, "BadRequestException"),
            ("POST", "/v1/namespaces", {"space": 1}, 400, "BadRequestException"),
            ("POST", "/v1/namespaces/errors/properties", {"removals": ["a"], "updates": {"a": "b"}}, 422, "UnprocessableEntityException"),
            ("POST", "/v1/namespaces/errors/register", {"name": "t", "metadata-location": "s3://elsewhere/x.metadata.json"}, 400, "BadRequestException"),
            ("POST", "/v1/namespaces/icegate/tables/logs", {"requirements": [{"type": "assert-table-uuid", "uuid": "0"}], "updates": []}, 409, "CommitFailedException"),
            ("POST", "/v1/namespaces/icegate/tables/logs", {"requirements": [{"type": "assert-moon"}], "updates": []}, 406, "UnsupportedOperationException"),
            ("DELETE", "/v1/namespaces/icegate/tables/logs?purgeRequested=true", None, 406, "UnsupportedOperationException"),
            ("GET", "/v1/nothing", None, 404, "NotFoundException"),
        ]
        for method, path, body, status, kind in cases:
            found, answer, _ = raw(server, method, path, body)
            assert (found, answer["error"]["type"], answer["error"]["code"]) == (status, kind, status), (method, path, found, answer)
    finally:
        assert raw(server, "DELETE", "/v1/namespaces/errors")[0] == 204


@check("a purge takes the table's files along and nothing else; not those of the lake's own tables, nor where gc is off")
def purge(server):
    def files(location): return sorted(os.path.join(d, n) for d, _, names in os.walk(location.removeprefix("file://")) for n in names)
    with ValidatingProxy(("127.0.0.1", server.port("iceberg"))) as proxy:
        c = catalog(proxy)
        c.create_namespace("purged")
        table, other = c.create_table("purged.t", SCHEMA), c.create_table("purged.other", SCHEMA, properties={"gc.enabled": "false"})
        for ids in ([1, 2], [3], [4]): table.append(rows(*ids))
        table.delete("id = 2")
        other.append(rows(9))
        assert len(files(table.location())) > 10 and files(other.location())
        stray = os.path.join(table.location().removeprefix("file://"), "data", "stray.parquet")
        open(stray, "w").close()
        c.purge_table("purged.t")
        refused(NoSuchTableError, c.load_table, "purged.t")
        assert files(table.location()) == [stray], files(table.location())
        os.unlink(stray)
        assert raw(server, "DELETE", "/v1/namespaces/purged/tables/other?purgeRequested=true")[0] == 400
        assert c.load_table("purged.other").scan().to_arrow()["id"].to_pylist() == [9]
        status, answer, _ = raw(server, "DELETE", "/v1/namespaces/icegate/tables/logs?purgeRequested=true")
        assert status == 406 and "written by this lake" in answer["error"]["message"], answer
        refused(NoSuchTableError, c.purge_table, "purged.none")
        c.drop_table("purged.other"); c.drop_namespace("purged")
        assert not proxy.faults, "\n".join(proxy.faults)


@check("commits to several tables stand together or not at all; there are no views, and the protocol's words say so")
def several(server):
    with ValidatingProxy(("127.0.0.1", server.port("iceberg"))) as proxy:
        c = catalog(proxy)
        assert "POST /v1/{prefix}/transactions/commit" in raw(server, "GET", "/v1/config")[1]["endpoints"]
        c.create_namespace("several")
        tables = [c.create_table("several.t%d" % n, SCHEMA) for n in range(2)]
        def post(changes):
            import http.client
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
            connection.request("POST", "/v1/transactions/commit", json.dumps({"table-changes": [
                {"identifier": {"namespace": ["several"], "name": name}, "requirements": [{"type": "assert-table-uuid", "uuid": uuid}],
                 "updates": [{"action": "set-properties", "updates": {"v": value}}]} for name, uuid, value in changes]}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        uuids = [str(t.metadata.table_uuid) for t in tables]
        def values(): return [c.load_table("several.t%d" % n).properties.get("v") for n in range(2)]
        assert post([("t0", uuids[0], "1"), ("t1", uuids[1], "1")])[0] == 204 and values() == ["1", "1"]
        status, answer = post([("t0", uuids[0], "2"), ("t1", uuids[0], "2")])
        assert (status, answer["error"]["type"]) == (409, "CommitFailedException") and values() == ["1", "1"], (answer, values())
        status, answer = post([("t0", uuids[0], "2"), ("none", uuids[0], "2")])
        assert (status, answer["error"]["type"]) == (404, "NoSuchTableException") and values() == ["1", "1"], (answer, values())
        assert post([("t0", uuids[0], "2"), ("t0", uuids[0], "3")])[0] == 400 and values() == ["1", "1"]
        assert not proxy.faults, "\n".join(proxy.faults)
        assert raw(server, "GET", "/v1/namespaces/several/views")[1] == {"identifiers": []}
        status, answer, _ = raw(server, "GET", "/v1/namespaces/several/views/v")
        assert (status, answer["error"]["type"]) == (404, "NoSuchViewException"), answer
        status, answer, _ = raw(server, "POST", "/v1/namespaces/several/views", {"name": "v"})
        assert (status, answer["error"]["type"]) == (406, "UnsupportedOperationException"), answer
        for n in range(2): c.drop_table("several.t%d" % n)
        c.drop_namespace("several")


@check("lists come in pages, a loaded table is not sent twice, any prefix is taken")
def pages(server):
    assert raw(server, "POST", "/v1/namespaces", {"namespace": ["pages"]})[0] == 200
    schema = {"type": "struct", "schema-id": 0, "fields": [{"id": 0, "name": "a", "required": False, "type": "long"},
              {"id": 1, "name": "l", "required": False, "type": {"type": "list", "element-id": 2, "element": "string", "element-required": False}}]}
    for i in range(5):
        status, answer, _ = raw(server, "POST", "/v1/any/namespaces/pages/tables", {"name": "t%d" % i, "schema": schema})
        assert status == 200, answer
    # Ids from 0 are another client's way to leave them to the catalog.
    assert [f["id"] for f in answer["metadata"]["schemas"][0]["fields"]] == [1, 2], answer
    found, token = [], ""
    while token is not None:
        status, answer, _ = raw(server, "GET", "/iceberg/v1/namespaces/pages/tables?pageSize=2&pageToken=" + urllib.parse.quote(token))
        assert status == 200 and len(answer["identifiers"]) <= 2
        found += [t["name"] for t in answer["identifiers"]]; token = answer.get("next-page-token")
    assert found == ["t%d" % i for i in range(5)], found
    _, _, headers = raw(server, "GET", "/v1/namespaces/pages/tables/t0")
    status, _, _ = server.request("iceberg", "GET", "/v1/namespaces/pages/tables/t0", None, {"If-None-Match": headers["etag"]})
    assert status == 304, status
    for i in range(5): assert raw(server, "DELETE", "/v1/namespaces/pages/tables/t%d" % i)[0] == 204
    assert raw(server, "DELETE", "/v1/namespaces/pages")[0] == 204


if __name__ == "__main__":
    with Server() as server: main(server)
