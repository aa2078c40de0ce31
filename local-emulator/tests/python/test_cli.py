"""The AWS CLI, version 1."""

import json


def test_s3_copies_files_and_lists_them(aws, bucket, tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(b"x" * (9 << 20))
    aws("s3", "cp", str(source), f"s3://{bucket}/folder/a b.bin")
    assert "a b.bin" in aws("s3", "ls", f"s3://{bucket}/folder/")
    aws("s3", "cp", f"s3://{bucket}/folder/a b.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    aws("s3", "sync", f"s3://{bucket}/", str(tmp_path / "mirror"))
    assert (tmp_path / "mirror/folder/a b.bin").stat().st_size == 9 << 20
    aws("s3", "rb", f"s3://{bucket}", "--force")


def test_s3api_conditions(aws, bucket, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(b"abc")
    put = ["put-object", "--bucket", bucket, "--key", "k", "--body", str(data), "--if-none-match", "*"]
    assert aws("s3api", *put)["ETag"] == '"900150983cd24fb0d6963f7d28e17f72"'
    assert "PreconditionFailed" in aws("s3api", *put, fails=True)
    got = ["get-object", "--bucket", bucket, "--key", "k", "--range", "bytes=1-1", str(tmp_path / "out")]
    assert aws("s3api", *got)["ContentRange"] == "bytes 1-1/3"
    assert (tmp_path / "out").read_bytes() == b"b"


def test_sqs(aws, queue):
    sent = aws("sqs", "send-message", "--queue-url", queue, "--message-body", "hello")
    [message] = aws("sqs", "receive-message", "--queue-url", queue)["Messages"]
    assert message["MessageId"] == sent["MessageId"]
    assert "NonExistentQueue" in aws("sqs", "get-queue-url", "--queue-name", "nosuch", fails=True)


def test_lambda(aws, tmp_path):
    out = tmp_path / "out.json"
    answer = aws("lambda", "invoke", "--function-name", "f", "--payload", '{"echo": 5}', str(out))
    assert answer["StatusCode"] == 200
    assert json.loads(out.read_text())["echo"] == 5
