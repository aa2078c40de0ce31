"""S3 through boto3 with its defaults, checksums and all."""

import base64
import concurrent.futures
import hashlib
import io
import urllib.error
import urllib.request
import zlib

import boto3
import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def put(s3, bucket, key, body=b"body", **more):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def body(s3, bucket, key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def test_ranges(s3, bucket):
    put(s3, bucket, "k", b"0123456789")
    for asked, expected in [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-3", b"789"), ("bytes=8-99", b"89")]:
        answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)
        assert (answer["Body"].read(), answer["ResponseMetadata"]["HTTPStatusCode"]) == (expected, 206), asked
    assert refused(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == (416, "InvalidRange")


def test_conditional_writes(s3, bucket):
    etag = put(s3, bucket, "k", b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == (412, "PreconditionFailed")
    newer = put(s3, bucket, "k", b"3", IfMatch=etag)["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"4", IfMatch=etag) == (412, "PreconditionFailed")
    assert refused(s3.put_object, Bucket=bucket, Key="none", Body=b"5", IfMatch=etag)[0] == 404
    assert refused(s3.delete_object, Bucket=bucket, Key="k", IfMatch=etag) == (412, "PreconditionFailed")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=newer)


def test_racing_creators_have_one_winner(s3, bucket):
    def create(n):
        try:
            put(s3, bucket, "race", str(n).encode(), IfNoneMatch="*")
            return n
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        winners = [n for n in pool.map(create, range(32)) if n is not None]
    assert len(winners) == 1
    assert body(s3, bucket, "race") == str(winners[0]).encode()


def test_conditional_reads(s3, bucket):
    etag = put(s3, bucket, "k")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert body(s3, bucket, "k", IfMatch=etag) == b"body"
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == (412, "PreconditionFailed")
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)[0] == 304
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=modified)[0] == 304
    assert body(s3, bucket, "k", IfUnmodifiedSince=modified) == b"body"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_kept_and_given_back(s3, bucket, algorithm):
    sent = put(s3, bucket, "k", b"abc", ChecksumAlgorithm=algorithm)
    field = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[field] == sent[field]
    assert got["Body"].read() == b"abc"


@pytest.mark.parametrize("field, wrong", [("ChecksumSHA256", hashlib.sha256(b"x")), ("ChecksumSHA1", hashlib.sha1(b"x"))])
def test_a_wrong_checksum_leaves_the_old_object(s3, bucket, field, wrong):
    put(s3, bucket, "k", b"old")
    wrong = base64.b64encode(wrong.digest()).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"new", **{field: wrong}) == (400, "BadDigest")
    assert body(s3, bucket, "k") == b"old"


def test_crc32_and_md5_by_hand(s3, bucket):
    crc = base64.b64encode(zlib.crc32(b"abc").to_bytes(4, "big")).decode()
    assert put(s3, bucket, "k", b"abc", ChecksumCRC32=crc)["ChecksumCRC32"] == crc
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"abc", ContentMD5=md5) == (400, "BadDigest")


def test_metadata_and_headers(s3, bucket):
    put(s3, bucket, "k", Metadata={"owner": "analyst"}, ContentType="text/csv", CacheControl="no-store", ContentEncoding="gzip")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"owner": "analyst"}
    assert (head["ContentType"], head["CacheControl"], head["ContentEncoding"]) == ("text/csv", "no-store", "gzip")


@pytest.mark.parametrize(
    "key", ["a/b", "a", "a%20b", "a+b", "a b", "a//b", "/lead", "trail/", "ünï/çødé", "q?x=1&y", "x" * 1024, "#", "é" * 100]
)
def test_any_key(s3, bucket, key):
    put(s3, bucket, key, key.encode())
    assert body(s3, bucket, key) == key.encode()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_key_of_more_than_1024_bytes_is_refused(s3, bucket):
    assert refused(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == (400, "KeyTooLongError")


def test_listings(s3, bucket):
    keys = [f"d{n}/{m}" for n in range(3) for m in range(5)] + ["top"]
    for key in keys:
        put(s3, bucket, key, b"")
    for paginator in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(paginator).paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == sorted(keys), paginator
        pages = s3.get_paginator(paginator).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
        pages = list(pages)
        assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == ["d0/", "d1/", "d2/"]
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == ["top"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="d1/4", Prefix="d")
    assert [item["Key"] for item in after["Contents"]] == [f"d2/{m}" for m in range(5)]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense") == (400, "InvalidArgument")


def test_delete_objects(s3, bucket):
    for key in "abc":
        put(s3, bucket, key)
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ("a", "b", "absent")]})
    assert sorted(item["Key"] for item in answer["Deleted"]) == ["a", "absent", "b"]
    assert refused(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=bucket, Key="c")
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.list_objects_v2, Bucket=bucket) == (404, "NoSuchBucket")


def test_copy(s3, bucket):
    etag = put(s3, bucket, "a", b"abc", Metadata={"k": "v"})["ETag"]
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"}, CopySourceIfMatch=etag)
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"k": "v"}
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"k": "w"}}
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"}, **replaced)
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"k": "w"}
    source = {"Bucket": bucket, "Key": "a"}
    assert refused(s3.copy_object, Bucket=bucket, Key="c", CopySource=source, CopySourceIfNoneMatch=etag)[0] == 412


def test_multipart_with_gaps_and_part_etags(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    place = {"Bucket": bucket, "Key": "big", "UploadId": upload}
    parts = []
    for number, data in [(3, b"a" * 5 * MIB), (7, b"b" * 5 * MIB), (9000, b"end")]:
        etag = s3.upload_part(PartNumber=number, Body=data, **place)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    assert [part["PartNumber"] for part in s3.list_parts(**place)["Parts"]] == [3, 7, 9000]
    wrong = [dict(parts[0], ETag='"0"'), *parts[1:]]
    assert refused(s3.complete_multipart_upload, MultipartUpload={"Parts": wrong}, **place) == (400, "InvalidPart")
    reversed_parts = {"Parts": parts[::-1]}
    assert refused(s3.complete_multipart_upload, MultipartUpload=reversed_parts, **place) == (400, "InvalidPartOrder")
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **place)
    assert done["ETag"].endswith('-3"')
    head = s3.head_object(Bucket=bucket, Key="big")
    assert head["ContentLength"] == 10 * MIB + 3
    assert body(s3, bucket, "big", Range="bytes=-4") == b"bend"


def test_a_small_part_before_the_last_is_refused_and_an_upload_can_be_aborted(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]
    place = {"Bucket": bucket, "Key": "small", "UploadId": upload}
    parts = [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=b"x", **place)["ETag"]} for n in (1, 2)]
    assert refused(s3.complete_multipart_upload, MultipartUpload={"Parts": parts}, **place) == (400, "EntityTooSmall")
    s3.abort_multipart_upload(**place)
    assert refused(s3.list_parts, **place) == (404, "NoSuchUpload")
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_managed_transfer_of_a_large_file(s3, bucket):
    data = bytes(range(256)) * (70 * 1024)
    s3.upload_fileobj(io.BytesIO(data), bucket, "large")
    received = io.BytesIO()
    s3.download_fileobj(bucket, "large", received)
    assert received.getvalue() == data


def test_presigned_addresses(s3, bucket):
    put(s3, bucket, "k", b"signed")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
    assert urllib.request.urlopen(address).read() == b"signed"
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(address[:-1] + ("0" if address[-1] != "0" else "1"))
    assert error.value.code == 403
    upload = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(upload, data=b"uploaded", method="PUT"))
    assert body(s3, bucket, "up") == b"uploaded"


def test_a_wrong_secret_is_refused(s3, bucket):
    forged = boto3.client("s3", endpoint_url=s3.meta.endpoint_url, aws_access_key_id="emulator", aws_secret_access_key="x")
    assert refused(forged.list_objects_v2, Bucket=bucket) == (403, "SignatureDoesNotMatch")
    unknown = boto3.client("s3", endpoint_url=s3.meta.endpoint_url, aws_access_key_id="nobody", aws_secret_access_key="x")
    assert refused(unknown.list_objects_v2, Bucket=bucket) == (403, "InvalidAccessKeyId")


def test_a_part_may_be_copied(s3, bucket):
    put(s3, bucket, "source", b"a" * (5 * MIB) + b"tail")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    place = {"Bucket": bucket, "Key": "copy", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "source"}
    ranges = [f"bytes=0-{5 * MIB - 1}", f"bytes={5 * MIB}-{5 * MIB + 3}"]
    parts = []
    for number, asked in enumerate(ranges, 1):
        copied = s3.upload_part_copy(PartNumber=number, CopySource=source, CopySourceRange=asked, **place)
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    far = {"CopySource": source, "CopySourceRange": f"bytes={9 * MIB}-{9 * MIB + 1}"}
    assert refused(s3.upload_part_copy, PartNumber=3, **far, **place) == (416, "InvalidRange")
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **place)
    assert body(s3, bucket, "copy", Range="bytes=-6") == b"aatail"


def test_lifecycle_rules_are_kept_and_what_is_not_emulated_is_refused(s3, bucket):
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == (404, "NoSuchLifecycleConfiguration")
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    moved = dict(rule, Transitions=[{"Days": 30, "StorageClass": "GLACIER"}])
    configuration = {"Rules": [moved]}
    assert refused(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=configuration)[0] == 501
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[0] == 404
