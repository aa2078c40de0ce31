"""Lambda through boto3. The function `f` does what its event says."""

import base64
import json

import pytest
from botocore.exceptions import ClientError


def invoke(lam, event, **more):
    return lam.invoke(FunctionName="f", Payload=json.dumps(event), **more)


def test_an_invocation_with_its_log(lam):
    answer = invoke(lam, {"echo": "hi", "print": "a line"}, LogType="Tail")
    assert json.load(answer["Payload"])["echo"] == "hi"
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "a line\n" in log
    assert "REPORT RequestId: " in log and "Billed Duration: " in log and "Memory Size: 256 MB" in log


def test_failures_have_the_shapes_of_aws(lam):
    failed = invoke(lam, {"fail": "no"})
    assert failed["FunctionError"] == "Unhandled"
    assert json.load(failed["Payload"])["errorMessage"] == "no"
    crashed = invoke(lam, {"exit": 7})
    body = json.load(crashed["Payload"])
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
    starved = invoke(lam, {"allocate_mib": 400})
    assert json.load(starved["Payload"])["errorMessage"].endswith("signal: killed")
    large = invoke(lam, {"respond_bytes": 7 << 20})
    assert json.load(large["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_timeout(lam):
    answer = invoke(lam, {"sleep_ms": 60_000})
    body = json.load(answer["Payload"])
    assert body["errorType"] == "Sandbox.Timedout"
    assert body["errorMessage"].endswith("Task timed out after 5.00 seconds")


def test_kinds_of_invocation(lam):
    assert invoke(lam, {}, InvocationType="Event")["StatusCode"] == 202
    assert invoke(lam, {}, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.invoke(FunctionName="nosuch")
    with pytest.raises(ClientError) as error:
        lam.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps("x" * (1 << 20)))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
