"""What no client library would send, signed where a signature is wanted. The emulator refuses it, keeps nothing of it, and goes on serving."""

import json
import os
import socket
import struct
import time
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

SERVICES = ["s3", "sqs", "lambda"]
TIMEOUT_S = 30


def connect(service):
    address = urlsplit(os.environ[f"{service.upper()}_ENDPOINT"])
    connection = socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S)
    return connection, address.netloc


def signed(service, method, path, body=b"", headers=None):
    """The bytes of a request; the body is sent as it is."""
    netloc = urlsplit(os.environ[f"{service.upper()}_ENDPOINT"]).netloc
    request = AWSRequest(method, f"http://{netloc}{path}", headers=headers, data=body)
    sign = S3SigV4Auth if service == "s3" else SigV4Auth
    sign(get_session().get_credentials(), service, "us-east-1").add_auth(request)
    prepared = {"host": netloc, "connection": "close", "content-length": str(len(body)), **dict(request.headers.items())}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in prepared.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def exchange(service, request, ends_early=False):
    """Status and answer; 0 where the connection ended without one."""
    connection, _ = connect(service)
    with connection:
        answer = b""
        try:
            connection.sendall(request)
            if ends_early:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # Refused and closed before all was sent.
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1") else 0
    return status, answer.decode("utf-8", "replace")


def keys(s3, bucket):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def data_files():
    objects = os.path.join(os.environ["EMULATOR_DATA"], "objects")
    return sum(len(files) for _, _, files in os.walk(objects))


BAD_XML = {
    "empty": b"",
    "text": b"nonsense",
    "open": b"<Delete><Object><Key>kept</Key>",
    "wrong root": b"<Other/>",
    "binary": bytes(range(256)) * 16,
    "entity": b'<!DOCTYPE d [<!ENTITY a "kept">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    "deep": b"<Delete>" * 200_000,
    "no key": b"<Delete><Object></Object></Delete>",
    "no objects": b"<Delete></Delete>",
    "half a character": b"<Delete><Object><Key>\xff</Key></Object></Delete>",
}


@pytest.mark.parametrize("name", BAD_XML)
def test_bad_xml_deletes_nothing(s3, bucket, name):
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    status, answer = exchange("s3", signed("s3", "POST", f"/{bucket}?delete=", BAD_XML[name]))
    assert 400 <= status < 500 and "<Code>" in answer, answer[:500]
    assert keys(s3, bucket) == ["kept"]


@pytest.mark.parametrize("name", BAD_XML)
def test_bad_xml_completes_no_upload_and_sets_no_rules(s3, bucket, name):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    for path in [f"/{bucket}/k?uploadId={upload}", f"/{bucket}?lifecycle="]:
        method = "PUT" if "lifecycle" in path else "POST"
        status, answer = exchange("s3", signed("s3", method, path, BAD_XML[name]))
        assert 400 <= status < 500 and "<Code>" in answer, (path, answer[:500])
    assert keys(s3, bucket) == []
    assert len(s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]) == 1
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-md5": "nonsense"},
        {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"x-amz-checksum-crc32c": "%%%"},
        {"x-amz-checksum-sha256": "AAAA"},
        {"if-none-match": "\"unclosed"},
        {"if-match": "\"0\""},
        {"x-amz-copy-source": "nowhere"},
        {"x-amz-copy-source": "%ff/%ff"},
        {"x-amz-decoded-content-length": "-1", "content-encoding": "aws-chunked"},
    ],
    ids=str,
)
def test_wrong_headers_put_nothing(s3, bucket, headers):
    before = data_files()
    status, answer = exchange("s3", signed("s3", "PUT", f"/{bucket}/k", b"abc", headers))
    assert 400 <= status < 500, answer[:500]
    assert keys(s3, bucket) == [] and data_files() == before


@pytest.mark.parametrize("headers", [{"range": "bytes=x-"}, {"range": "bytes=5-1"}, {"range": "lines=0-1"}], ids=str)
def test_a_range_that_means_nothing_is_ignored_or_refused(s3, bucket, headers):
    s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    status, answer = exchange("s3", signed("s3", "GET", f"/{bucket}/k", headers=headers))
    assert status in (200, 400, 416), answer[:500]
    if status == 200:
        assert answer.endswith("abc")


@pytest.mark.parametrize(
    "query",
    ["partNumber=0", "partNumber=10001", "partNumber=x", "partNumber=-1", "partNumber=99999999999999999999", ""],
)
def test_wrong_part_numbers_add_nothing(s3, bucket, query):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    path = f"/{bucket}/k?" + (f"{query}&" if query else "") + f"uploadId={upload}"
    status, answer = exchange("s3", signed("s3", "PUT", path, b"x"))
    if query:
        assert 400 <= status < 500, answer[:500]
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)


def test_listing_questions_that_mean_nothing(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    for query in ["continuation-token=%21%21", "continuation-token=AAAA", "max-keys=-1", "max-keys=x", "encoding-type=x"]:
        status, answer = exchange("s3", signed("s3", "GET", f"/{bucket}?list-type=2&{query}"))
        assert 200 <= status < 500, (query, answer[:500])
        if "max-keys=x" in query or "token" in query:
            assert status == 400, (query, answer[:500])


@pytest.mark.parametrize("length", ["content-length: 1000000", "transfer-encoding: chunked"])
def test_a_half_sent_object_leaves_nothing(s3, bucket, length):
    before = data_files()
    url = urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "half"}))
    body = b"x" * 300_000
    if "chunked" in length:
        body = b"%x\r\n" % 400_000 + body
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nhost: {url.netloc}\r\n{length}\r\n\r\n".encode()
    status, answer = exchange("s3", head + body, ends_early=True)
    assert not 200 <= status < 300, answer[:500]
    # The same, by a client that is gone without a word.
    connection, _ = connect("s3")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(head + body)
    time.sleep(0.2)
    connection.close()
    deadline = time.monotonic() + 10
    while data_files() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert keys(s3, bucket) == [] and data_files() == before


FUNCTIONS = "/2015-03-31/functions"


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("POST", f"{FUNCTIONS}/f/invocations", b"{", 400),
        ("POST", f"{FUNCTIONS}/f/invocations", b"\xff\xfe", 400),
        ("POST", f"{FUNCTIONS}/f/invocations", b"[" * 200_000, 400),
        ("POST", f"{FUNCTIONS}/f/invocations", b"{} {}", 400),
        ("POST", f"{FUNCTIONS}/absent/invocations", b"{}", 404),
        ("POST", f"{FUNCTIONS}/{quote('../f', safe='')}/invocations", b"{}", 404),
        ("POST", f"{FUNCTIONS}/%ff/invocations", b"{}", 404),
        ("POST", f"{FUNCTIONS}//invocations", b"{}", 404),
        ("GET", f"{FUNCTIONS}/f/invocations", b"", 404),
        ("POST", FUNCTIONS, b"{", 400),
        ("POST", FUNCTIONS, b"[]", 400),
        ("POST", FUNCTIONS, b'{"FunctionName":7}', 400),
        ("POST", FUNCTIONS, b'{"FunctionName":"new","Code":{"ZipFile":"%%%"},"Role":"r","Runtime":"provided.al2023"}', 400),
        ("PUT", f"{FUNCTIONS}/f/code", b'{"ZipFile":', 400),
        ("PUT", f"{FUNCTIONS}/f/configuration", b'{"MemorySize":"x"}', 400),
        ("PUT", f"{FUNCTIONS}/f/configuration", b'{"MemorySize":-1}', 400),
        ("PUT", f"{FUNCTIONS}/f/concurrency", b'{"ReservedConcurrentExecutions":-1}', 400),
        ("PUT", f"{FUNCTIONS}/f/event-invoke-config", b'{"MaximumRetryAttempts":1e99}', 400),
        ("PATCH", f"{FUNCTIONS}/f", b"{}", 404),
        ("POST", "/2015-03-31/nothing", b"{}", 404),
        ("GET", "/", b"", 404),
    ],
)
def test_lambda_refuses_what_it_cannot_read(lam, method, path, body, status):
    # Concurrency and events have their own dates in AWS's API; here any date will do.
    got, answer = exchange("lambda", signed("lambda", method, path, body))
    assert got == status, answer[:500]
    assert "x-amzn-errortype" in answer.lower()
    assert [one["FunctionName"] for one in lam.list_functions()["Functions"]].count("new") == 0
    assert lam.invoke(FunctionName="f", Payload=json.dumps({"echo": 1}))["StatusCode"] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_half_sent_request_is_no_request(service, sqs, lam):
    body = b'{"QueueName": "half", "FunctionName": "half"}'
    path = FUNCTIONS if service == "lambda" else "/"
    headers = {"x-amz-target": "AmazonSQS.CreateQueue"} if service == "sqs" else {}
    request = signed(service, "POST", path, body, headers)
    for cut in [1, 10, len(request) // 2, len(request) - len(body), len(request) - 1]:
        status, answer = exchange(service, request[:cut], ends_early=True)
        assert not 200 <= status < 300, answer[:500]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="half")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("first", [b"\x00" * 4096, b"\xff" * 4096, b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 99])
def test_what_is_no_http_ends_the_connection(service, first):
    status, answer = exchange(service, first, ends_early=True)
    assert status == 0 or 400 <= status < 600, answer[:500]


def pour(connection, chunk, count):
    """Sends until the other side has had enough; gives the bytes that it took."""
    sent = 0
    try:
        for _ in range(count):
            connection.sendall(chunk)
            sent += len(chunk)
    except OSError:
        pass
    return sent


def resident_kib():
    with open(f"/proc/{os.environ['EMULATOR_PID']}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["one header", "many headers", "one line"])
def test_a_header_block_of_100_mb_is_cut_short(service, kind):
    connection, netloc = connect(service)
    before = resident_kib()
    with connection:
        start = b"GET /" if kind == "one line" else f"GET / HTTP/1.1\r\nhost: {netloc}\r\nx-big: ".encode()
        connection.sendall(start)
        line = b"x" * 1018 + b"\r\nx:" if kind == "many headers" else b"x" * 1020
        sent = pour(connection, line * 64, 100_000_000 // 65536)
        # What lies in the sockets' buffers was sent, not read.
        assert sent < 50_000_000
    assert resident_kib() < before + 50_000


@pytest.mark.parametrize("service", SERVICES)
def test_a_header_block_of_100_mb_is_cut_short_in_http_2_too(service):
    frame = lambda kind, flags, stream, payload: struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload
    connection, _ = connect(service)
    before = resident_kib()
    with connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 0, 1, b"\x82\x86\x84"))
        # A literal header that is not indexed, of 120 bytes, again and again.
        field = b"\x00\x03x-a" + b"\x78" + b"y" * 120
        more = frame(9, 0, 1, field * 128)
        sent = pour(connection, more, 100_000_000 // len(more))
        assert sent < 50_000_000
    assert resident_kib() < before + 50_000


def test_it_still_serves(s3, sqs, lam, bucket, queue):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert json.load(lam.invoke(FunctionName="f", Payload=json.dumps({"echo": 1}))["Payload"])["echo"] == 1
