"""Drives a Mayfly server with the unmodified `trino` client. Arguments: server URL, Lambda endpoint of the local cloud.

Checks what the wire must carry: every type, an error with its place, a cancel that stops launches, a million rows.
"""

import datetime
import decimal
import json
import sys
import threading
import time
import urllib.parse
import urllib.request

import trino
from trino.exceptions import TrinoUserError

SERVER = urllib.parse.urlparse(sys.argv[1])
LAMBDA = sys.argv[2]


def connect(**session):
    return trino.dbapi.connect(
        host=SERVER.hostname, port=SERVER.port, user="analyst", catalog="lake", schema="tpch", session_properties=session
    )


def rows(sql, **session):
    cursor = connect(**session).cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def one(expression):
    (row,) = rows(f"SELECT {expression} AS value FROM region LIMIT 1")
    return row[0]


def invocations():
    with urllib.request.urlopen(f"{LAMBDA}/_emulator/counts") as answer:
        functions = json.load(answer)["lambda"]["functions"]
    return sum(function["invocations"] for function in functions.values())


def check(what, got, expected):
    assert got == expected and type(got) is type(expected), f"{what}: got {got!r}, expected {expected!r}"


def check_types():
    check("boolean", one("r_regionkey >= 0"), True)
    check("tinyint", one("arrow_cast(7, 'Int8')"), 7)
    check("smallint", one("CAST(7 AS smallint)"), 7)
    check("integer", one("CAST(7 AS integer)"), 7)
    check("bigint", one("CAST(9223372036854775807 AS bigint)"), 9223372036854775807)
    check("unsigned", one("arrow_cast(7, 'UInt64')"), decimal.Decimal(7))
    check("real", one("CAST(1.5 AS real)"), 1.5)
    check("double", one("CAST(1 AS double)"), 1.0)
    check("infinity", one("CAST('inf' AS double)"), float("inf"))
    check("decimal", one("CAST('12.50' AS decimal(10, 2))"), decimal.Decimal("12.50"))
    check("varchar", one("'grün; \"quoted\"'"), 'grün; "quoted"')
    check("varbinary", one("arrow_cast('abc', 'Binary')"), b"abc")
    check("date", one("DATE '2020-01-31'"), datetime.date(2020, 1, 31))
    check("time", one("arrow_cast('01:02:03.456', 'Time64(Microsecond)')"), datetime.time(1, 2, 3, 456000))
    check(
        "timestamp",
        one("arrow_cast('2020-01-31T01:02:03.456789', 'Timestamp(Microsecond, None)')"),
        datetime.datetime(2020, 1, 31, 1, 2, 3, 456789),
    )
    zoned = one("arrow_cast(arrow_cast('2020-01-31T01:02:03', 'Timestamp(Millisecond, None)'), 'Timestamp(Millisecond, Some(\"UTC\"))')")
    check("timestamp with time zone", zoned.astimezone(datetime.timezone.utc).isoformat(), "2020-01-31T01:02:03+00:00")
    check("array", one("make_array(1, 2, NULL)"), [1, 2, None])
    check("map", one("MAP {'a': 1, 'b': 2}"), {"a": 1, "b": 2})
    value = one("named_struct('x', 1, 'y', 'z')")
    assert tuple(value) == (1, "z"), value
    check("null", one("CAST(NULL AS bigint)"), None)
    check("unknown", one("NULL"), None)


def check_error():
    try:
        rows("SELECT\n  no_such FROM region")
    except TrinoUserError as error:
        check("error name", error.error_name, "COLUMN_NOT_FOUND")
        assert "line 2:3" in error.message, error.message
        assert error.query_id, "an error names its query"
    else:
        raise AssertionError("an unknown column must fail")


def check_cancel():
    before = invocations()
    cursor = connect(target_task_bytes="32kB").cursor()
    # execute() returns with the first row only, so the query runs in a thread and is canceled from here.
    sql = "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_partkey = b.l_partkey JOIN orders ON o_orderkey = b.l_orderkey"
    failure = []

    def run():
        try:
            cursor.execute(sql)
            cursor.fetchall()
        except Exception as error:  # noqa: BLE001 (whatever ends it is what we look at)
            failure.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    while invocations() == before:
        time.sleep(0.005)
    cursor.cancel()
    time.sleep(0.1)
    after = invocations()
    time.sleep(1.0)
    check("invocations 100 ms after a cancel", invocations(), after)
    runner.join(timeout=30)
    assert not runner.is_alive(), "a canceled query must end"


def check_million():
    cursor = connect().cursor()
    cursor.execute(
        "SELECT a.l_orderkey, a.l_comment FROM lineitem a CROSS JOIN (SELECT n_nationkey FROM nation WHERE n_nationkey < 2) b LIMIT 1000000"
    )
    count = 0
    while batch := cursor.fetchmany(10_000):
        count += len(batch)
    check("rows fetched", count, 1_000_000)


for step in (check_types, check_error, check_cancel, check_million):
    start = time.monotonic()
    step()
    print(f"{step.__name__}: ok in {time.monotonic() - start:.1f} s")
print("all checks passed")
