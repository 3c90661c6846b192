"""Our servers as programs see them that are not ours, and the commands that the checks give."""

import json
import os
import subprocess
import threading
from pathlib import Path

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()
TRANSLOAD = os.environ.get("TRANSLOAD") or str(TARGET / "debug" / "transload")
RCLONE = os.environ.get("RCLONE", "rclone")
PATIENCE = float(os.environ.get("PATIENCE") or 300)


def kept():
    """What of the environment a program needs, and no keys that happen to be there."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


class Served:
    """`transload local` with ports of its own."""

    def __init__(self, home):
        self.home = home
        command = [TRANSLOAD, "local", "--s3-port", "0", "--sfn-port", "0", "--home", home, "--output", "json"]
        self.process = subprocess.Popen(command, env=kept(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.welcome = json.loads(self.process.stdout.readline())
        # What it tells beyond that is not looked at, and must not fill the pipe.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def client(self, service, end, keys):
        pairs = (line.split(" = ", 1) for line in Path(keys).read_text().splitlines() if " = " in line)
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
        return boto3.client(service, endpoint_url=end["endpoint"], region_name=end["region"], config=config, **dict(pairs))

    def s3(self, side):
        return self.client("s3", self.welcome[side], self.welcome[side]["credentials"])

    def states(self):
        return self.client("stepfunctions", self.welcome["stepFunctions"], self.welcome["source"]["credentials"])

    def remote(self, side):
        """A place as rclone is told of it: by the environment, keys and all."""
        end = self.welcome[side]
        pairs = dict(line.split(" = ", 1) for line in Path(end["credentials"]).read_text().splitlines() if " = " in line)
        name = "RCLONE_CONFIG_%s_" % side.upper()
        settings = {
            "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": end["endpoint"], "REGION": end["region"], "FORCE_PATH_STYLE": "true",
            "ACCESS_KEY_ID": pairs["aws_access_key_id"], "SECRET_ACCESS_KEY": pairs["aws_secret_access_key"],
            # Keys as they are, but for what a path can not hold.
            "ENCODING": "None", "LIST_URL_ENCODE": "true",
        }
        return {name + key: value for key, value in settings.items()}

    def location(self, side):
        """A place as transload is told of it."""
        end = self.welcome[side]
        return (
            f'[locations.{end["location"]}]\nkind = "s3"\nregion = "{end["region"]}"\nendpoint = "{end["endpoint"]}"\n'
            f'allow_http = true\npath_style = true\ncredentials = {{ file = "{end["credentials"]}" }}\n'
        )

    def create_bucket(self, side, bucket):
        region = self.welcome[side]["region"]
        # us-east-1 takes no constraint, every other Region only its own.
        there = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.s3(side).create_bucket(Bucket=bucket, **there)

    def rclone(self, *arguments):
        """rclone with both places as `source:` and `destination:`. Keys are other keys if their bytes differ, whatever they look like."""
        environment = kept() | self.remote("source") | self.remote("destination")
        environment["RCLONE_CONFIG"] = os.path.join(self.home, "no-rclone.conf")
        command = [RCLONE, *arguments, "--no-unicode-normalization"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def sync(self, source, destination, *flags):
        """`transload sync` of two buckets by a home of its own. Gives the report's counts."""
        locations = Path(self.home, "locations.toml")
        locations.write_text(self.location("source") + self.location("destination"))
        places = [f"{self.welcome[side]['location']}:s3://{bucket}" for side, bucket in (("source", source), ("destination", destination))]
        settings = ["--home", os.path.join(self.home, "sync"), "--locations", str(locations), "--output", "json"]
        ran = subprocess.run([TRANSLOAD, "sync", *places, *flags, *settings], env=kept(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)["counts"]

    def end(self):
        self.process.terminate()
        # Its database is synced, behind whatever else the disk has to write.
        self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=60)
        self.process.stdout.close()
