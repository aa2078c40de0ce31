"""Clients of the emulator under test: boto3 as users configure it, and the AWS CLI. Endpoints come from the environment."""

import json
import os
import subprocess
import sys
import uuid

import boto3
import pytest
from botocore.config import Config


def _client(service):
    endpoint = os.environ[f"{service.upper()}_ENDPOINT"]
    # boto3 still presigns with signature version 2 unless told otherwise.
    version = "s3v4" if service == "s3" else "v4"
    once = {"total_max_attempts": 1}
    config = Config(signature_version=version, s3={"addressing_style": "path"}, retries=once)
    return boto3.client(service, endpoint_url=endpoint, config=config)


@pytest.fixture(scope="session")
def s3():
    return _client("s3")


@pytest.fixture(scope="session")
def sqs():
    return _client("sqs")


@pytest.fixture(scope="session")
def lam():
    return _client("lambda")


@pytest.fixture
def bucket(s3):
    name = f"b-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:12]}")["QueueUrl"]


@pytest.fixture
def aws():
    """Runs the AWS CLI; gives its JSON, or its standard output where that is none."""

    def run(service, *arguments, fails=False):
        endpoint = os.environ[f"{service.removesuffix('api').upper()}_ENDPOINT"]
        command = [sys.executable, "-m", "awscli", "--endpoint-url", endpoint, "--output", "json", service, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        if fails:
            return done.stderr
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.stdout

    return run
