"""The template deployed: an emulator of AWS that we did not write (MiniStack) takes it by CloudFormation, starts the zips'
programs as its Lambdas, reads the destination's key from its Secrets Manager, and starts the machine by its EventBridge when
boto3 puts an object into the source bucket. The object has to arrive byte for byte, whole and in parts.

What this proves: the template is one that CloudFormation's API takes with its assets where CDK puts them; Ref, GetAtt and
substitutions lead to the right names; roles, policies, queues, alarms and dashboard have the form that is asked for; the zips
start by themselves as `provided.al2023`; the environment tells them the locations; pattern and input transformer make an input
that the machine takes; the secret has the form that the functions read.

What it does not prove, since MiniStack 1.5.33 does otherwise than AWS (found by running it):
- nothing is refused for want of a right: policies are kept, and not asked;
- a Distributed Map evaluates no JSONata (Items, ItemSelector, MaxConcurrency are taken as they stand), and ignores
  ResultWriter and ItemBatcher; there is no redrive, and no RedriveCount in the context object;
- GetObject of a version ignores Range, so the source bucket keeps no versions here;
- a multipart upload knows composite checksums only, and refuses the right checksum of the whole object, so the
  destination is described as a store with MD5 ETags and no such checksums;
- tags of a multipart upload are lost;
- an alarm over an expression of several metrics is refused;
- lists of work are read by a Distributed Map, so the machine of comparisons is run on our own engine only;
- all partitions are one, and so is the account behind all keys.
`edit` makes the changes that the template needs for these, and no other. Without them, the same template and the same
zips run on our own engine in test_local.py: Distributed Map, result writer, redrive, versions, checksums, two accounts.
"""

import json
import os
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

import support
from support import MIB, REGION, WORK, client, noise, sha256, until

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
CHINA = "cn-north-1"


def without_redrive(definition):
    return definition.replace("$states.context.Execution.RedriveCount", "0")


def with_inline_map(definition):
    """The same items, selectors, retries and states in the kind of Map that MiniStack evaluates."""
    definition = json.loads(definition)
    parts = definition["States"]["Parts"]
    parts["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    for name in ("Label", "ResultWriter", "ToleratedFailurePercentage"):
        del parts[name]
    return json.dumps(definition)


def without_whole_checksums(locations):
    return locations.replace('"region":"cn-north-1"', '"region":"cn-north-1","checksums":[],"etag_md5":true')


def edit(template):
    """The changes that MiniStack needs. Each has to find what it changes."""
    for name, changes in (("ObjectMachine", (without_redrive, with_inline_map)), ("BucketMachine", (without_redrive,))):
        machine = next(
            resource["Properties"]
            for id, resource in template["Resources"].items()
            if resource["Type"] == "AWS::StepFunctions::StateMachine" and name in id
        )
        for change in changes:
            before = machine["DefinitionString"]
            machine["DefinitionString"] = change(before)
            assert machine["DefinitionString"] != before, change.__name__
    changed = 0
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            pieces = resource["Properties"]["Environment"]["Variables"]["TRANSLOAD_LOCATIONS"]["Fn::Join"][1]
            for index, piece in enumerate(pieces):
                if isinstance(piece, str):
                    pieces[index] = without_whole_checksums(piece)
                    changed += pieces[index] != piece
    assert changed == len(support.FUNCTIONS), changed
    alarms = [
        id
        for id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]
    assert alarms, "no alarm over an expression"
    for id in alarms:
        del template["Resources"][id]
    return template


class MiniStack:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = (WORK / "ministack.log").open("w")
        environment = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        # The address in place of a name: the functions' SDK then writes the bucket into the path.
        environment |= {"HOME": str(WORK), "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
        environment |= {"MINISTACK_REGION": REGION, "AWS_ENDPOINT_URL": self.url}
        program = Path(sys.executable).with_name("ministack")
        self.process = subprocess.Popen([program], env=environment, stdout=self.log, stderr=self.log)

    def client(self, service, region=REGION):
        return client(service, self.url, region, KEYS)

    def answers(self):
        try:
            return self.client("sts").get_caller_identity()["Account"]
        except Exception:
            assert self.process.poll() is None, "MiniStack has ended"
            return None

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()


class DeployedStack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ministack = MiniStack()
        cls.addClassCleanup(cls.ministack.end)
        account = until(cls.ministack.answers, "MiniStack answers")
        cls.source, cls.destination = cls.ministack.client("s3"), cls.ministack.client("s3", CHINA)
        cls.states = cls.ministack.client("stepfunctions")
        cls.prepare()
        cls.outputs = cls.deploy(account)

    @classmethod
    def prepare(cls):
        """What the README of the CDK application asks of a user beside the stack."""
        make_bucket(cls.source, "photos", REGION)
        make_bucket(cls.destination, "photos-cn", CHINA)
        cls.source.put_bucket_notification_configuration(
            Bucket="photos", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        cls.ministack.client("secretsmanager").create_secret(Name="transload/china", SecretString=json.dumps(KEYS))

    @classmethod
    def deploy(cls, account):
        """As `cdk deploy` does it: assets into the bucket of the bootstrap stack, then the template."""
        template = support.synthesise()
        assets = f"cdk-hnb659fds-assets-{account}-{REGION}"
        make_bucket(cls.source, assets, REGION)
        manifest = json.loads((template.parent / "moves.assets.json").read_text())
        for file in manifest["files"].values():
            path = template.parent / file["source"]["path"]
            if path.suffix == ".zip":
                for destination in file["destinations"].values():
                    cls.source.upload_file(str(path), assets, destination["objectKey"])
        text = json.dumps(edit(json.loads(template.read_text())))
        cls.source.put_object(Bucket=assets, Key="moves.json", Body=text)
        cls.ministack.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
        formation = cls.ministack.client("cloudformation")
        url = f"{cls.ministack.url}/{assets}/moves.json"
        formation.create_stack(StackName="moves", TemplateURL=url, Capabilities=["CAPABILITY_IAM"])

        def made():
            stack = formation.describe_stacks(StackName="moves")["Stacks"][0]
            return stack if stack["StackStatus"] != "CREATE_IN_PROGRESS" else None

        stack = until(made, "the stack is made")
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def put(self, key, body):
        """Puts an object, and waits for the end of the execution that its event starts."""
        self.source.put_object(
            Bucket="photos", Key=key, Body=body, ContentType="text/x-moved", Metadata={"who": "somebody"}, Tagging="team=maps"
        )

        def over():
            found = self.states.list_executions(stateMachineArn=self.outputs["ObjectMachineArn"])["executions"]
            described = [self.states.describe_execution(executionArn=one["executionArn"]) for one in found]
            mine = [one for one in described if json.loads(one["input"])["source"]["key"] == key]
            return next((one for one in mine if one["status"] != "RUNNING"), None)

        execution = until(over, f"an execution for {key}")
        self.assertEqual("SUCCEEDED", execution["status"], execution.get("cause"))
        return execution

    def assert_same(self, key, body, tags):
        found = self.destination.get_object(Bucket="photos-cn", Key=key)
        self.assertEqual(sha256(body), sha256(found["Body"].read()))
        self.assertEqual("text/x-moved", found["ContentType"])
        self.assertEqual("somebody", found["Metadata"]["who"])
        self.assertEqual(tags, self.destination.get_object_tagging(Bucket="photos-cn", Key=key)["TagSet"])
        self.assertEqual([], self.destination.list_multipart_uploads(Bucket="photos-cn").get("Uploads", []))

    def states_of(self, execution):
        events = self.states.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)["events"]
        return {event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event}

    def test_a_small_object_is_copied_whole(self):
        body = noise(100_000, 1)
        execution = self.put("in/a b+c.txt", body)
        self.assert_same("in/a b+c.txt", body, [{"Key": "team", "Value": "maps"}])
        self.assertIn("Copy", self.states_of(execution))

    def test_a_large_object_is_sent_in_parts(self):
        body = noise(12 * MIB + 7, 2)
        execution = self.put("in/large", body)
        self.assert_same("in/large", body, tags=[])
        self.assertTrue({"Init", "Parts", "Complete"} <= self.states_of(execution))
        head = self.destination.head_object(Bucket="photos-cn", Key="in/large")
        self.assertRegex(head["ETag"], re.compile(r"-3\"$"))

    def test_an_object_outside_of_the_route_starts_nothing(self):
        self.source.put_object(Bucket="photos", Key="elsewhere/x", Body=b"x")
        # The event of a later object has been handled by then.
        self.put("in/later", b"later")
        found = self.states.list_executions(stateMachineArn=self.outputs["ObjectMachineArn"])["executions"]
        inputs = [self.states.describe_execution(executionArn=one["executionArn"])["input"] for one in found]
        self.assertFalse([one for one in inputs if "elsewhere" in one])


def make_bucket(s3, name, region):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})


if __name__ == "__main__":
    unittest.main()
