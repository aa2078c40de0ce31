"""Lambda through boto3. The function `f` does what its event says."""

import base64
import io
import json
import sys
import uuid
import zipfile

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


def zipped(script):
    """A zip with that shell script as its bootstrap."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bootstrap", script)
    return buffer.getvalue()


def answering(word):
    """The smallest runtime there is, in the Python that runs this test."""
    return f"""#!{sys.executable}
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
version, greeting = os.environ["AWS_LAMBDA_FUNCTION_VERSION"], os.environ.get("GREETING")
while True:
    with urllib.request.urlopen(api + "next") as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    answer = '"{word} ' + version + " " + str(greeting) + '"'
    urllib.request.urlopen(api + request + "/response", answer.encode()).read()
"""


@pytest.fixture
def function(lam):
    name = f"made-{uuid.uuid4().hex[:8]}"
    common = {"Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "bootstrap"}
    environment = {"Variables": {"GREETING": "hi"}}
    code = {"ZipFile": zipped(answering("one"))}
    lam.create_function(FunctionName=name, Code=code, MemorySize=256, Timeout=9, Environment=environment, **common)
    return name


def said(lam, function, **more):
    answer = lam.invoke(FunctionName=function, **more)
    return json.load(answer["Payload"]), answer["ExecutedVersion"]


def test_a_function_is_made_from_a_zip_changed_and_deleted(lam, function):
    made = lam.get_function(FunctionName=function)["Configuration"]
    assert (made["MemorySize"], made["Timeout"], made["Version"], made["State"]) == (256, 9, "$LATEST", "Active")
    assert said(lam, function) == ("one $LATEST hi", "$LATEST")
    lam.update_function_code(FunctionName=function, ZipFile=zipped(answering("two")))
    assert said(lam, function)[0] == "two $LATEST hi", "an old environment is not used again"
    lam.update_function_configuration(FunctionName=function, Environment={"Variables": {"GREETING": "ho"}}, Timeout=5)
    assert said(lam, function)[0] == "two $LATEST ho"
    assert lam.get_function_configuration(FunctionName=function)["Timeout"] == 5
    names = [item["FunctionName"] for page in lam.get_paginator("list_functions").paginate() for item in page["Functions"]]
    assert function in names and "f" in names
    lam.delete_function(FunctionName=function)
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.invoke(FunctionName=function)


def test_a_version_stays_what_it_was(lam, function):
    first = lam.publish_version(FunctionName=function)["Version"]
    assert lam.publish_version(FunctionName=function)["Version"] == first, "nothing has changed"
    lam.update_function_code(FunctionName=function, ZipFile=zipped(answering("two")))
    second = lam.publish_version(FunctionName=function)["Version"]
    assert (first, second) == ("1", "2")
    assert said(lam, function, Qualifier="1") == ("one 1 hi", "1")
    assert said(lam, f"{function}:2") == ("two 2 hi", "2")
    assert [item["Version"] for item in lam.list_versions_by_function(FunctionName=function)["Versions"]] == ["$LATEST", "1", "2"]
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        said(lam, function, Qualifier="3")


def test_an_alias_moves(lam, function):
    lam.publish_version(FunctionName=function)
    lam.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    lam.update_function_code(FunctionName=function, ZipFile=zipped(answering("two")), Publish=True)
    assert said(lam, function, Qualifier="live") == ("one 1 hi", "1")
    lam.update_alias(FunctionName=function, Name="live", FunctionVersion="2")
    assert said(lam, function, Qualifier="live") == ("two 2 hi", "2")
    assert lam.get_alias(FunctionName=function, Name="live")["FunctionVersion"] == "2"
    with pytest.raises(lam.exceptions.ResourceConflictException):
        lam.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    lam.delete_alias(FunctionName=function, Name="live")
    assert lam.list_aliases(FunctionName=function)["Aliases"] == []


def test_code_may_lie_in_s3(lam, s3, bucket):
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zipped(answering("stored")))
    name = f"stored-{uuid.uuid4().hex[:8]}"
    code = {"S3Bucket": bucket, "S3Key": "code.zip"}
    lam.create_function(FunctionName=name, Code=code, Runtime="provided.al2023", Role="arn:aws:iam::000000000000:role/r", Handler="x")
    assert said(lam, name)[0].startswith("stored $LATEST")


def test_reserved_concurrency_is_a_limit(lam, function):
    lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(lam.exceptions.TooManyRequestsException) as error:
        lam.invoke(FunctionName=function)
    assert error.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert lam.get_function_concurrency(FunctionName=function)["ReservedConcurrentExecutions"] == 0
    lam.delete_function_concurrency(FunctionName=function)
    assert said(lam, function)[0].startswith("one")


def test_what_cannot_be_made_is_refused(lam, function):
    def refused(**change):
        asked = {"Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "x", **change}
        with pytest.raises(ClientError) as error:
            lam.create_function(**{"FunctionName": "new", "Code": {"ZipFile": zipped("#!/bin/sh")}, **asked})
        return error.value.response["Error"]["Code"]

    assert refused(FunctionName=function) == "ResourceConflictException"
    assert refused(MemorySize=10241) == "InvalidParameterValueException"
    assert refused(Timeout=901) == "InvalidParameterValueException"
    assert refused(Runtime="python3.13") == "InvalidParameterValueException"
    assert refused(Code={"ZipFile": b"no zip"}) == "InvalidParameterValueException"
    escaping = io.BytesIO()
    with zipfile.ZipFile(escaping, "w") as archive:
        archive.writestr("../../escaped", "x")
    assert refused(Code={"ZipFile": escaping.getvalue()}) == "InvalidParameterValueException"


def test_events_are_handled_as_configured(lam, function):
    queue = "arn:aws:sqs:us-east-1:000000000000:failed"
    destination = {"OnFailure": {"Destination": queue}}
    lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60, DestinationConfig=destination
    )
    shown = lam.get_function_event_invoke_config(FunctionName=function)
    assert (shown["MaximumRetryAttempts"], shown["MaximumEventAgeInSeconds"]) == (0, 60)
    assert shown["DestinationConfig"]["OnFailure"]["Destination"] == queue
    lam.delete_function_event_invoke_config(FunctionName=function)
    assert lam.get_function_event_invoke_config(FunctionName=function)["MaximumRetryAttempts"] == 2
