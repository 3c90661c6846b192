"""Whether the destination is like the source, judged by programs that are not ours: boto3 puts a random workload and reads both
sides, `rclone check --download` compares every byte of what rclone can name.

Run by `./check checkers`. TRANSLOAD is the program; SEED plays one workload again."""

import json
import os
import random
import tempfile
import time
import unicodedata
import unittest

from support import PATIENCE, Served

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
KIB, MIB = 1 << 10, 1 << 20
PART = 5 * MIB

# Where code that counts bytes goes wrong: around a frame, a chunk, the limit of an object sent whole, each of the first parts.
BOUNDARIES = [0, 1, 2] + [n + d for n in (KIB, 16 * KIB, 64 * KIB, MIB, PART, 2 * PART, 3 * PART) for d in (-1, 0, 1)]

# Keys that S3 takes byte by byte and that clients, servers or file systems like to change.
AWKWARD = [
    "a b", " leading", "trailing ", "plus+plus", "a+b c", "per%cent", "%2F", "a%2Fb", "a/b", "%", "%zz", "&amp;", "<xml>",
    "quote\"'", "back\\slash", "semi;colon", "eq=ual&amp", "hash#hash", "question?", "star*", "col:on", "tab\there", "new\nline",
    "~tilde", "$dollar", "@at", "[brackets]", "{braces}", "|pipe", "^caret", "`tick", "comma,", "!bang", "soap", "..", "a/../b",
    "./a", "/leading", "double//slash", "//", "trailing/", "a/b/c/d/e/f/g", unicodedata.normalize("NFC", "caf\u00e9"),
    unicodedata.normalize("NFD", "caf\u00e9"), "\u4e2d\u6587/\u6587\u4ef6", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\U0001f680", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "upper", "UPPER", "Upper", "x" * 1024, "\u00e9" * 512, ("d" * 200 + "/") * 5 + "e" * 19,
]


# What rclone takes for the name of a directory, and says so.
UNNAMEABLE = ["//"]


def body(rng, size):
    # Random bytes; in a third of the objects a short period, in which a part that is swapped for another would not show.
    return (rng.randbytes(64) * (size // 64 + 1))[:size] if rng.random() < 0.3 else rng.randbytes(size)


def attributes(rng):
    """Headers, metadata and tags, each there or not."""
    chosen = {
        "ContentType": rng.choice(["text/plain", "application/x-tar; charset=utf-8", "image/png"]),
        "CacheControl": "max-age=%d" % rng.randrange(1 << 20),
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": rng.choice(["gzip", "identity"]),
        "ContentLanguage": rng.choice(["de", "zh-CN"]),
        "Metadata": {"name%d" % n: rng.choice(["value", "with blanks  in it", "x" * 300]) for n in range(rng.randrange(1, 4))},
        "Tagging": "&".join("tag%d=%s" % (n, rng.choice(["", "v", "a.b"])) for n in range(rng.randrange(1, 5))),
    }
    return {name: value for name, value in chosen.items() if rng.random() < 0.5}


class WhenARandomWorkloadIsMoved(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"\nworkload of SEED={SEED}", flush=True)
        cls.home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.home.cleanup)
        cls.served = Served(cls.home.name)
        cls.addClassCleanup(cls.served.end)
        cls.source, cls.destination = cls.served.s3("source"), cls.served.s3("destination")
        cls.states = cls.served.states()
        for bucket in ("work", "many"):
            cls.served.create_bucket("source", bucket)
            cls.served.create_bucket("destination", f"{bucket}-cn")
        versioned = {"Status": "Enabled"}
        cls.source.put_bucket_versioning(Bucket="many", VersioningConfiguration=versioned)
        cls.destination.put_bucket_versioning(Bucket="many-cn", VersioningConfiguration=versioned)
        rng = random.Random(SEED)
        cls.keys = cls.put_workload(rng)
        cls.versions = cls.put_versions(rng)
        cls.move([({"bucket": "work", "key": key}, {"bucket": "work-cn", "key": key}) for key in cls.keys])
        cls.move([
            ({"bucket": "many", "key": key, "versionId": version}, {"bucket": "many-cn", "key": f"{key}/{number}"})
            for key, versions in cls.versions.items() for number, (version, _) in enumerate(versions)
        ])

    @classmethod
    def put_workload(cls, rng):
        """Every awkward key with a random size, every boundary under a key of its own."""
        sizes = {key: rng.choice(BOUNDARIES[:12] + [rng.randrange(3 * PART)]) for key in AWKWARD}
        sizes |= {f"size/{size}": size for size in BOUNDARIES}
        # Without bytes they would be markers of directories to rclone.
        sizes |= {key: 17 for key in AWKWARD if key.endswith("/")}
        for key, size in sizes.items():
            cls.source.put_object(Bucket="work", Key=key, Body=body(rng, size), **attributes(rng))
        # One that was put in parts, of other lengths than ours.
        upload = cls.source.create_multipart_upload(Bucket="work", Key="in parts", Metadata={"parts": "2"})
        parts = []
        for number, size in ((1, PART + 3), (2, 7)):
            answer = cls.source.upload_part(
                Bucket="work", Key="in parts", UploadId=upload["UploadId"], PartNumber=number, Body=rng.randbytes(size)
            )
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        cls.source.complete_multipart_upload(
            Bucket="work", Key="in parts", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts}
        )
        return [*sizes, "in parts"]

    @classmethod
    def put_versions(cls, rng):
        """Three versions of each key, one of them deleted since: (id, body) oldest first."""
        found = {}
        for key in ("one", "two words", "sp%C3%A4t"):
            bodies = [body(rng, rng.choice([0, 10, PART + 1])) for _ in range(3)]
            found[key] = [(cls.source.put_object(Bucket="many", Key=key, Body=b)["VersionId"], b) for b in bodies]
        cls.source.delete_object(Bucket="many", Key="one")
        return found

    @classmethod
    def move(cls, pairs):
        options = {"partSize": PART, "wholeObjectLimit": PART, "maxConcurrency": 4}
        machine = cls.served.welcome["stepFunctions"]["stateMachineArn"]
        started = []
        for source, destination in pairs:
            request = {
                "source": {"location": cls.served.welcome["source"]["location"], **source},
                "destination": {"location": cls.served.welcome["destination"]["location"], **destination},
                "options": options,
            }
            started.append(cls.states.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"])
        end = time.monotonic() + PATIENCE
        for arn in started:
            while (found := cls.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
                assert time.monotonic() < end, f"{found['input']} runs for ever"
                time.sleep(0.05)
            assert found["status"] == "SUCCEEDED", found

    def test_then_both_sides_list_the_same_keys_and_sizes(self):
        def listed(client, bucket):
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}

        found = listed(self.source, "work")
        self.assertEqual(sorted(found), sorted(self.keys))
        self.assertEqual(found, listed(self.destination, "work-cn"))

    def test_then_bytes_headers_metadata_and_tags_are_the_same(self):
        own = ("transload-token", "transload-source", "transload-order")
        same = ("ContentLength", "ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage")
        tagged = described = 0
        for key in self.keys:
            with self.subTest(key=key, seed=SEED):
                there = self.source.get_object(Bucket="work", Key=key)
                here = self.destination.get_object(Bucket="work-cn", Key=key)
                self.assertTrue(there["Body"].read() == here["Body"].read(), "the bytes differ")
                self.assertEqual({n: there.get(n) for n in same}, {n: here.get(n) for n in same})
                metadata = {name: value for name, value in here["Metadata"].items() if name not in own}
                self.assertEqual(there["Metadata"], metadata)
                self.assertEqual(sorted(own), sorted(here["Metadata"].keys() - metadata.keys()))
                tags = self.source.get_object_tagging(Bucket="work", Key=key)["TagSet"]
                found = self.destination.get_object_tagging(Bucket="work-cn", Key=key)["TagSet"]
                self.assertEqual(sorted(map(str, tags)), sorted(map(str, found)))
                tagged, described = tagged + bool(tags), described + bool(metadata)
        self.assertTrue(tagged > 10 and described > 10, (tagged, described))

    def test_then_each_version_has_its_own_bytes(self):
        for key, versions in self.versions.items():
            for number, (version, expected) in enumerate(versions):
                with self.subTest(key=key, number=number, seed=SEED):
                    here = self.destination.get_object(Bucket="many-cn", Key=f"{key}/{number}")["Body"].read()
                    self.assertTrue(here == expected, f"not the bytes of version {version}")

    def test_then_rclone_finds_no_difference(self):
        found = self.served.rclone("check", "--download", "source:work", "destination:work-cn")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertEqual(found.stderr.count("- ignoring"), 2 * len(UNNAMEABLE), found.stderr)
        self.assertIn(f"{len(self.keys) - len(UNNAMEABLE)} matching files", found.stderr)

    def test_then_a_whole_bucket_is_made_like_another_and_rclone_finds_no_difference(self):
        self.served.create_bucket("destination", "synced-cn")
        for copied in (len(self.keys), 0):
            counts = self.served.sync("work", "synced-cn", "--batch-object-limit", str(MIB))
            self.assertEqual(counts["copied"]["objects"], copied)
        found = self.served.rclone("check", "--download", "source:work", "destination:synced-cn")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn(f"{len(self.keys) - len(UNNAMEABLE)} matching files", found.stderr)

    def test_then_rclone_would_find_a_difference(self):
        key = f"size/{PART + 1}"
        self.served.create_bucket("destination", "spoilt-cn")
        spoilt = bytearray(self.source.get_object(Bucket="work", Key=key)["Body"].read())
        spoilt[PART] ^= 1
        self.destination.put_object(Bucket="spoilt-cn", Key=key, Body=bytes(spoilt))
        found = self.served.rclone("check", "--download", "source:work/size", "destination:spoilt-cn/size", "--include", f"/{PART + 1}")
        self.assertNotEqual(found.returncode, 0)
        self.assertIn("1 differences found", found.stderr)


if __name__ == "__main__":
    unittest.main()
