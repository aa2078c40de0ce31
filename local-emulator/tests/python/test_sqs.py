"""SQS through boto3."""

import json
import time

import pytest
from botocore.exceptions import ClientError


def receive(sqs, queue, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **more).get("Messages", [])


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def test_send_receive_delete(sqs, queue):
    sent = sqs.send_message(
        QueueUrl=queue, MessageBody="hello", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}}
    )
    [message] = receive(sqs, queue, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert message["MessageAttributes"]["k"]["StringValue"] == "v"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert receive(sqs, queue, WaitTimeSeconds=1) == []


def test_visibility_and_stale_handles(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [first] = receive(sqs, queue, VisibilityTimeout=1)
    assert receive(sqs, queue) == []
    [second] = receive(sqs, queue, WaitTimeSeconds=5)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
    assert len(receive(sqs, queue)) == 1, "a stale handle deletes nothing"


def test_delay_and_long_poll(sqs, queue):
    since = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    assert len(receive(sqs, queue, WaitTimeSeconds=5)) == 1
    assert 0.9 <= time.monotonic() - since < 4


def test_batches_and_their_limits(sqs, queue):
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 10
    one_more = [*entries, {"Id": "x", "MessageBody": "m"}]
    assert "TooManyEntries" in refused(sqs.send_message_batch, QueueUrl=queue, Entries=one_more)
    twice = [{"Id": "a", "MessageBody": "m"}] * 2
    assert "NotDistinct" in refused(sqs.send_message_batch, QueueUrl=queue, Entries=twice)
    assert "EmptyBatch" in refused(sqs.send_message_batch, QueueUrl=queue, Entries=[])
    large = [{"Id": str(n), "MessageBody": "x" * 200_000} for n in range(6)]
    assert "BatchRequestTooLong" in refused(sqs.send_message_batch, QueueUrl=queue, Entries=large)
    bodies = {message["Body"] for message in receive(sqs, queue)}
    assert bodies == {f"m{n}" for n in range(10)}


def test_message_rules(sqs, queue):
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="")
    assert "InvalidMessageContents" in refused(sqs.send_message, QueueUrl=queue, MessageBody="\x00")
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="x" * (1 << 20) + "x")
    assert refused(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=21)
    assert refused(sqs.receive_message, QueueUrl=queue, VisibilityTimeout=43201)


def test_queues(sqs, queue):
    name = queue.rsplit("/", 1)[1]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == queue
    assert queue in sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]
    sqs.create_queue(QueueName=name)
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="nosuch")
    sqs.delete_queue(QueueUrl=queue)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=queue, MessageBody="x")


def test_attributes_count_approximately(sqs, queue):
    for delay in (0, 0, 100):
        sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=delay)
    sqs.receive_message(QueueUrl=queue)
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    counts = [attributes[f"ApproximateNumberOfMessages{kind}"] for kind in ("", "NotVisible", "Delayed")]
    assert counts == ["1", "1", "1"]


def test_redrive(sqs, queue):
    dead = sqs.create_queue(QueueName=queue.rsplit("/", 1)[1] + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    assert len(receive(sqs, queue, VisibilityTimeout=0)) == 1
    assert receive(sqs, queue) == []
    assert [message["Body"] for message in receive(sqs, dead, WaitTimeSeconds=2)] == ["poison"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]


def test_purge(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.purge_queue(QueueUrl=queue)
    assert receive(sqs, queue) == []
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=queue)


@pytest.mark.parametrize(
    "value",
    [
        {"DataType": "String", "StringValue": ""},
        {"DataType": "String", "StringValue": "\x01"},
        {"DataType": "Number", "StringValue": "many"},
        {"DataType": "Binary", "BinaryValue": b""},
        {"DataType": "String", "BinaryValue": b"x"},
        {"DataType": "Boolean", "StringValue": "true"},
    ],
    ids=str,
)
def test_attributes_that_are_none_are_refused(sqs, queue, value):
    with pytest.raises(ClientError) as error:
        sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes={"a": value})
    assert error.value.response["Error"]["Code"] in ("InvalidParameterValue", "AWS.SimpleQueueService.InvalidParameterValue")
    assert "'a'" in error.value.response["Error"]["Message"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_binary_attribute_counts_as_what_it_stands_for(sqs, queue):
    most = 1_048_576 - len("a") - len("Binary") - len("x")
    attribute = lambda size: {"a": {"DataType": "Binary", "BinaryValue": b"b" * size}}
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attribute(most))
    with pytest.raises(ClientError):
        sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attribute(most + 1))


def test_what_would_be_forgotten_is_refused(sqs):
    with pytest.raises(ClientError) as error:
        sqs.create_queue(QueueName="tagged", tags={"team": "x"})
    assert "tags" in error.value.response["Error"]["Message"]
    for count in (0, 1001):
        with pytest.raises(ClientError):
            sqs.list_queues(MaxResults=count)
