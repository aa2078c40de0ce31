"""S3 and SQS by moto, on a free port of 127.0.0.1: an implementation of the wire that shares nothing with ours.

Prints its port. Each line `BUCKET=FOLDER` on stdin makes the bucket hold what the folder holds, and is answered with `done`. Ends when stdin does.
With `--ignore-conditions` it overlooks If-None-Match and If-Match, as some S3-compatible servers do.
"""

import logging
import pathlib
import sys
import threading

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")


def without_conditions(app):
    def overlook(environ, start_response):
        for name in CONDITIONS:
            environ.pop(name, None)
        return app(environ, start_response)

    return overlook


def mirror(s3, bucket, folder):
    s3.create_bucket(Bucket=bucket)
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            if item["Key"] not in files:
                s3.delete_object(Bucket=bucket, Key=item["Key"])
    for key, path in files.items():
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    if "--ignore-conditions" in sys.argv:
        app = without_conditions(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    keys = {"aws_access_key_id": "elsewhere", "aws_secret_access_key": "elsewhere-secret", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.server_port}", **keys)
    for line in sys.stdin:
        bucket, folder = line.strip().split("=", 1)
        mirror(s3, bucket, pathlib.Path(folder))
        print("done", flush=True)


main()
