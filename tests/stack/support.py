"""What both tests of the stack have: the template as `cdk synth` writes it, with zips of the programs that were just built,
clients, and the processes that serve.

Run by `./check stack`. TARGET is cargo's target folder, with the functions' programs of the development profile."""

import hashlib
import json
import os
import random
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()
WORK = REPOSITORY / "target" / "stack"
FUNCTIONS = ["head", "init", "part", "complete", "copy", "abort", "remove", "thaw", "list", "batch", "delete", "report"]
REGION = "eu-west-1"
MIB = 1 << 20
PATIENCE = 120.0

# A route with events and one that is compared, with limits so small that few bytes make several parts.
CONFIG = {
    "stackName": "moves",
    "region": REGION,
    "code": "code",
    "architecture": "arm64" if os.uname().machine == "aarch64" else "x86_64",
    "locations": {
        "global": {"buckets": [{"name": "photos", "versions": True}]},
        "china": {"region": "cn-north-1", "credentials": {"secret": "transload/china"}},
    },
    "routes": [
        {
            "name": "photos-to-china",
            "source": {"location": "global", "bucket": "photos", "prefix": "in/"},
            "destination": {"location": "china", "bucket": "photos-cn"},
            "options": {
                "maxConcurrency": 2,
                "partsInFlight": 1,
                "partSize": 5 * MIB,
                "wholeObjectLimit": 5 * MIB,
                "rounds": 2,
                "backoffSeconds": 1,
            },
        },
        {
            "name": "archive",
            "source": {"location": "global", "bucket": "photos", "prefix": "old/"},
            "destination": {"location": "china", "bucket": "photos-cn"},
            "events": [],
            "options": {"partSize": 5 * MIB, "wholeObjectLimit": 5 * MIB},
            "schedule": "rate(1 hour)",
            "sync": {
                "versions": "listed",
                "delete": {"maxPercent": 100},
                "batchObjectLimit": 5 * MIB,
                "batchObjects": 10,
            },
        },
    ],
}


def scheduled(template):
    """The input that the schedule of route archive starts the machine of comparisons with."""
    rules = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    (rule,) = [rule for rule in rules if "ScheduleExpression" in rule]
    (target,) = rule["Targets"]
    return json.loads(target["Input"])


def zip_functions(folder):
    """A zip for each function: the program without its symbols, which are most of it."""
    for name in FUNCTIONS:
        bootstrap = folder / name / "bootstrap"
        bootstrap.parent.mkdir(parents=True, exist_ok=True)
        program = TARGET / "debug" / f"transload-{name}"
        subprocess.run(["strip", "-o", bootstrap, program], check=True)
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(bootstrap, "bootstrap")


def synthesise():
    """The template, made once for both tests."""
    template = WORK / "cdk.out" / "moves.template.json"
    if not template.exists():
        zip_functions(WORK / "code")
        (WORK / "config.json").write_text(json.dumps(CONFIG))
        command = ["npx", "cdk", "synth", "--quiet", "--no-notices", "-c", f"config={WORK / 'config.json'}"]
        command += ["--output", str(template.parent)]
        subprocess.run(command, cwd=REPOSITORY / "cdk", check=True, stderr=subprocess.DEVNULL)
    return template


def transload(*arguments, environment=None):
    """The command line, with no more of this process's environment than PATH and HOME."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [str(TARGET / "debug" / "transload"), *arguments]
    return {"args": command, "env": kept | (environment or {})}


class Served:
    """`transload local --from-template` at work. Every line that it tells is kept."""

    def __init__(self, template, home):
        arguments = ["local", "--from-template", str(template), "--s3-port", "0", "--sfn-port", "0"]
        self.process = subprocess.Popen(
            **transload(*arguments, "--home", str(home), "--output", "json"), stdout=subprocess.PIPE, text=True
        )
        self.told = []
        self.welcome = json.loads(self.process.stdout.readline())
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def keys(self, file):
        pairs = (line.split(" = ", 1) for line in Path(file).read_text().splitlines() if " = " in line)
        return dict(pairs)

    def s3(self, location):
        place = self.welcome["locations"][location]
        return client("s3", place["endpoint"], place["region"], self.keys(place["credentials"]))

    def states(self):
        api = self.welcome["stepFunctions"]
        return client("stepfunctions", api["endpoint"], api["region"], self.keys(api["credentials"]))

    def machine(self, name):
        arns = self.welcome["stepFunctions"]["stateMachines"].values()
        return next(arn for arn in arns if arn.endswith(f":{name}"))

    def end(self):
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code


def client(service, endpoint, region, keys):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        **keys,
    )


def noise(length, seed):
    """Bytes without a period, the same each time."""
    return random.Random(seed).randbytes(length)


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def until(found, what):
    """Waits for something that is true, and gives it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")
