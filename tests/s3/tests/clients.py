"""Drives the server with boto3 and the AWS CLI, as their users would. Prints one line per check; any failure is fatal.

Arguments: endpoint, access key, secret, Region, bucket, scratch directory.
"""

import hashlib
import io
import json
import os
import subprocess
import sys

import boto3
import boto3.s3.transfer
import botocore.config
import botocore.exceptions

ENDPOINT, ACCESS_KEY, SECRET, REGION, BUCKET, SCRATCH = sys.argv[1:]
MIB = 1 << 20


def client(**options):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **options)
    return boto3.client(
        "s3", endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET, config=config
    )


def data(length, seed=b"x"):
    return hashlib.shake_256(seed).digest(length)


def check(name, condition):
    if not condition:
        raise SystemExit(f"FAILED {name}")
    print("ok", name)


def refused(name, code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except botocore.exceptions.ClientError as error:
        got = error.response["Error"]["Code"]
        return check(f"{name}: {code}", got == code)
    raise SystemExit(f"FAILED {name}: was not refused")


def transfer(s3):
    """boto3's own multipart transfer, up and down, with its default checksums."""
    body = data(20 * MIB + 3)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "boto/large", ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=BUCKET, Key="boto/large", ChecksumMode="ENABLED")
    check("boto3 multipart ETag", head["ETag"].endswith('-3"') and head["ContentLength"] == len(body))
    check("boto3 multipart metadata", head["Metadata"] == {"a": "b"})
    out = io.BytesIO()
    s3.download_fileobj(BUCKET, "boto/large", out, Config=boto3.s3.transfer.TransferConfig(max_concurrency=4))
    check("boto3 ranged download", out.getvalue() == body)


def checksums(s3):
    for name in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        try:
            s3.put_object(Bucket=BUCKET, Key="sum", Body=data(1000), ChecksumAlgorithm=name)
        except botocore.exceptions.MissingDependencyException:
            print("ok", name, "not available in this boto3")
            continue
        head = s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
        check(f"boto3 {name}", f"Checksum{name}" in head and head["ChecksumType"] == "FULL_OBJECT")
        read = s3.get_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")["Body"].read()
        check(f"boto3 {name} validated on read", read == data(1000))
    refused("wrong SHA256", "BadDigest", s3.put_object, Bucket=BUCKET, Key="sum", Body=b"x",
            ChecksumSHA256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    refused("wrong Content-MD5", "BadDigest", s3.put_object, Bucket=BUCKET, Key="sum", Body=b"x",
            ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")


def multipart(s3):
    where = {"Bucket": BUCKET, "Key": "boto/parts"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="CRC64NVME" if crc64() else "CRC32")["UploadId"]
    parts = []
    for number, size in [(1, 5 * MIB), (2, 5 * MIB), (3, 7)]:
        sent = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=data(size, bytes([number])),
                              ChecksumAlgorithm="CRC64NVME" if crc64() else "CRC32")
        parts.append({"PartNumber": number, "ETag": sent["ETag"], **{k: v for k, v in sent.items() if k.startswith("ChecksumC")}})
    check("list_parts", [p["Size"] for p in s3.list_parts(**where, UploadId=upload)["Parts"]] == [5 * MIB, 5 * MIB, 7])
    finish = lambda listed, **more: s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": listed}, **more)
    refused("descending parts", "InvalidPartOrder", finish, parts[::-1])
    tiny = s3.upload_part(**where, UploadId=upload, PartNumber=4, Body=b"x", ChecksumAlgorithm="CRC64NVME" if crc64() else "CRC32")
    fourth = {"PartNumber": 4, "ETag": tiny["ETag"], **{k: v for k, v in tiny.items() if k.startswith("ChecksumC")}}
    refused("small part", "EntityTooSmall", finish, [*parts, fourth])
    refused("wrong size", "InvalidRequest", finish, parts, MpuObjectSize=5)
    done = finish(parts, IfNoneMatch="*", MpuObjectSize=10 * MIB + 7)
    check("complete again", finish(parts)["ETag"] == done["ETag"])
    whole = b"".join(data(size, bytes([number])) for number, size in [(1, 5 * MIB), (2, 5 * MIB), (3, 7)])
    digests = b"".join(hashlib.md5(data(size, bytes([n]))).digest() for n, size in [(1, 5 * MIB), (2, 5 * MIB), (3, 7)])
    check("multipart ETag is the MD5 of MD5s", done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"')
    check("multipart bytes", s3.get_object(**where)["Body"].read() == whole)
    part = s3.get_object(**where, PartNumber=3)
    check("get part", part["PartsCount"] == 3 and part["ContentLength"] == 7)
    attributes = s3.get_object_attributes(**where, ObjectAttributes=["ObjectParts", "ObjectSize", "Checksum"])
    check("attributes", attributes["ObjectParts"]["TotalPartsCount"] == 3 and attributes["ObjectSize"] == len(whole))
    upload = s3.create_multipart_upload(**where)["UploadId"]
    check("list uploads", [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [upload])
    s3.abort_multipart_upload(**where, UploadId=upload)
    refused("aborted upload", "NoSuchUpload", s3.list_parts, **where, UploadId=upload)


def crc64():
    try:
        import awscrt.checksums
        return hasattr(awscrt.checksums, "crc64nvme")
    except ImportError:
        return False


def conditions(s3):
    s3.put_object(Bucket=BUCKET, Key="if", Body=b"1", IfNoneMatch="*")
    refused("exists", "PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="if", Body=b"2", IfNoneMatch="*")
    refused("other ETag", "PreconditionFailed", s3.get_object, Bucket=BUCKET, Key="if", IfMatch='"0"')
    refused("not modified", "304", s3.head_object, Bucket=BUCKET, Key="if", IfNoneMatch=s3.head_object(Bucket=BUCKET, Key="if")["ETag"])


def wrong_key():
    stranger = boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS_KEY,
                            aws_secret_access_key="wrong", config=botocore.config.Config(retries={"total_max_attempts": 1}))
    refused("wrong secret", "SignatureDoesNotMatch", stranger.list_objects_v2, Bucket=BUCKET)


def command_line():
    env = {**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION,
           "AWS_CONFIG_FILE": os.path.join(SCRATCH, "none"), "AWS_SHARED_CREDENTIALS_FILE": os.path.join(SCRATCH, "none"),
           "AWS_MAX_ATTEMPTS": "1"}

    def aws(*args):
        # The module and not the command: it is installed with this very interpreter.
        run = subprocess.run([sys.executable, "-m", "awscli", "--endpoint-url", ENDPOINT, *args],
                             env=env, capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"FAILED aws {' '.join(args)}: {run.stderr}")
        return run.stdout

    source, back = os.path.join(SCRATCH, "20m"), os.path.join(SCRATCH, "back")
    with open(source, "wb") as file:
        file.write(data(20 * MIB, b"cli"))
    aws("s3", "cp", "--no-progress", source, f"s3://{BUCKET}/cli/a b+c")
    aws("s3", "cp", "--no-progress", f"s3://{BUCKET}/cli/a b+c", back)
    with open(back, "rb") as file:
        check("aws s3 cp of 20 MiB up and down", file.read() == data(20 * MIB, b"cli"))
    check("aws s3 ls", "a b+c" in aws("s3", "ls", f"s3://{BUCKET}/cli/"))
    where = ["--bucket", BUCKET, "--key", "cli/parts"]
    upload = json.loads(aws("s3api", "create-multipart-upload", *where))["UploadId"]
    sent = json.loads(aws("s3api", "upload-part", *where, "--upload-id", upload, "--part-number", "1", "--body", source))
    parts = [{"PartNumber": 1, "ETag": sent["ETag"], **{k: v for k, v in sent.items() if k.startswith("ChecksumC")}}]
    listed = json.loads(aws("s3api", "list-parts", *where, "--upload-id", upload))
    check("aws s3api list-parts", listed["Parts"][0]["Size"] == 20 * MIB)
    done = json.loads(aws("s3api", "complete-multipart-upload", *where, "--upload-id", upload,
                          "--multipart-upload", json.dumps({"Parts": parts})))
    check("aws s3api multipart", done["ETag"].endswith('-1"'))
    aws("s3", "rm", "--recursive", f"s3://{BUCKET}/cli/")
    check("aws s3 rm", "Contents" not in json.loads(aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "cli/") or "{}"))


def main():
    s3 = client()
    transfer(s3)
    checksums(s3)
    multipart(s3)
    conditions(s3)
    wrong_key()
    command_line()
    print("done")


main()
