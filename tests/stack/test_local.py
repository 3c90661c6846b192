"""The same template with the same zips on our own engine, everything honoured: Distributed Map, result writer, redrive,
versions, checksums of whole objects, two accounts and Regions; a comparison by the input of its schedule; and what an operator
sees who replays a failed transfer."""

import json
import os
import shutil
import subprocess
import unittest

import support
from support import MIB, WORK, Served, noise, sha256, transload, until

OBJECT, BUCKET, JANITOR = "moves-object", "moves-bucket", "moves-janitor"


class Stack(unittest.TestCase):
    """The stack at work, with a home of its own for each class."""

    @classmethod
    def setUpClass(cls):
        cls.home = WORK / f"home-{cls.__name__}"
        shutil.rmtree(cls.home, ignore_errors=True)
        cls.served = Served(support.synthesise(), cls.home)
        cls.addClassCleanup(lambda: cls.served.end())
        cls.source, cls.destination = cls.served.s3("global"), cls.served.s3("china")
        cls.states = cls.served.states()
        cls.machine = cls.served.machine(OBJECT)

    def put(self, key, body):
        put = self.source.put_object(
            Bucket="photos", Key=key, Body=body, ContentType="text/x-moved", Metadata={"who": "somebody"}, Tagging="team=maps"
        )
        return put["VersionId"]

    def started_for(self, key):
        """The execution that the event of this object has started."""

        def found():
            for told in self.served.told:
                if told.get("event") == f"Object Created s3://photos/{key}":
                    return told
            return None

        told = until(found, f"an event of {key}")
        self.assertIn("started", told)
        return told["started"]

    def ended(self, arn):
        def over():
            described = self.states.describe_execution(executionArn=arn)
            return described if described["status"] != "RUNNING" else None

        return until(over, f"the end of {arn}")

    def succeeded(self, arn):
        described = self.ended(arn)
        self.assertEqual("SUCCEEDED", described["status"], described.get("cause"))
        return described

    def assert_same(self, key, body, bucket="photos-cn"):
        found = self.destination.get_object(Bucket=bucket, Key=key)
        self.assertEqual(sha256(body), sha256(found["Body"].read()))
        self.assertEqual("text/x-moved", found["ContentType"])
        self.assertEqual("somebody", found["Metadata"]["who"])
        tags = self.destination.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        self.assertEqual([{"Key": "team", "Value": "maps"}], tags)
        self.assertEqual([], self.uploads(bucket))

    def uploads(self, bucket="photos-cn"):
        return self.destination.list_multipart_uploads(Bucket=bucket).get("Uploads", [])

    def history(self, arn):
        return self.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]

    def stopped(self, key):
        """A transfer that is stopped while its map runs."""
        self.put(key, noise(96 * MIB, 3))
        arn = self.started_for(key)
        until(lambda: [one for one in self.uploads() if one["Key"] == key] and self.map_runs(arn), "a map at work")
        self.states.stop_execution(executionArn=arn, error="Operator", cause="no longer wanted")
        self.assertEqual("ABORTED", self.ended(arn)["status"])
        return arn

    def janitor_of(self, arn):
        """The execution that the change of status has started."""
        event = f"execution {arn.split(':')[-1]} ABORTED"
        return next((told["started"] for told in self.served.told if told.get("event") == event), None)

    def released(self, cleaning):
        """What the janitor's releases have answered."""
        ends = [event.get("taskSucceededEventDetails", {}).get("output", "{}") for event in self.history(cleaning)]
        return [json.loads(end)["Payload"] for end in ends if "aborted" in end]

    def parts_of(self, map_run):
        """Numbers of the parts that the children of a Map Run sent, by their outputs."""
        children = self.states.list_executions(mapRunArn=map_run, statusFilter="SUCCEEDED")["executions"]
        outputs = [json.loads(self.states.describe_execution(executionArn=one["executionArn"])["output"]) for one in children]
        return sorted(part["partNumber"] for output in outputs for part in output["parts"])

    def map_runs(self, arn):
        return [one["mapRunArn"] for one in self.states.list_map_runs(executionArn=arn)["mapRuns"]]


class Transfers(Stack):
    def test_replacements_are_told(self):
        told = "\n".join(self.served.welcome["replaced"])
        self.assertIn("location china: S3 in cn-north-1 is http://127.0.0.1:", told)
        self.assertIn("secret transload/china replaced by keys of this machine", told)
        self.assertEqual(18, self.served.welcome["leftOut"]["AWS::IAM::Role"])
        self.assertEqual(1, self.served.welcome["leftOut"]["AWS::Events::Rule (schedules)"])

    def test_a_small_object_is_copied_whole(self):
        body = noise(100_000, 1)
        version = self.put("in/a b+c.txt", body)
        described = self.succeeded(self.started_for("in/a b+c.txt"))
        self.assert_same("in/a b+c.txt", body)
        self.assertEqual(version, json.loads(described["output"])["source"]["object"]["versionId"])
        self.assertEqual("photos-to-china", json.loads(described["input"])["route"])

    def test_a_large_object_is_sent_in_parts_by_a_distributed_map(self):
        body = noise(12 * MIB + 7, 2)
        self.put("in/large", body)
        arn = self.started_for("in/large")
        self.succeeded(arn)
        self.assert_same("in/large", body)
        (run,) = self.map_runs(arn)
        self.assertEqual([1, 2, 3], self.parts_of(run))
        described = self.states.describe_map_run(mapRunArn=run)
        self.assertEqual(5.0, described["toleratedFailurePercentage"])
        self.assertEqual(2, described["itemCounts"]["resultsWritten"])

    def test_an_object_outside_of_the_route_starts_nothing(self):
        self.put("elsewhere/x", b"x")
        self.put("in/later", b"later")
        self.succeeded(self.started_for("in/later"))
        self.assertFalse([told for told in self.served.told if "elsewhere" in json.dumps(told)])

    def test_a_transfer_that_is_stopped_leaves_no_upload(self):
        """The engine's change of status becomes an event, which meets the janitor's rule."""
        arn = self.stopped("in/stopped")
        cleaning = until(lambda: self.janitor_of(arn), "the janitor's start")
        self.assertIn(f":{JANITOR}:", cleaning)
        self.assertTrue(until(lambda: self.released(cleaning), "a release")[0]["aborted"])
        self.assertEqual([], self.uploads())

    def test_the_command_line_finds_the_machine_by_the_stacks_tag(self):
        self.put("in/listed", b"listed")
        self.succeeded(self.started_for("in/listed"))
        api = self.served.welcome["stepFunctions"]
        environment = {
            "AWS_ENDPOINT_URL_SFN": api["endpoint"],
            "AWS_REGION": api["region"],
            "AWS_SHARED_CREDENTIALS_FILE": api["credentials"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        ran = subprocess.run(
            **transload("executions", "--stack", "moves", "--output", "json", environment=environment),
            capture_output=True, text=True, check=True,
        )
        self.assertTrue(json.loads(ran.stdout)["executions"])


class Comparison(Stack):
    """Both ends of a route are compared by the machine, the zips and the input that its schedule would start."""

    def counts(self, name):
        """Starts a run, and gives what its report counts."""
        machine = self.served.machine(BUCKET)
        request = support.scheduled(json.loads(support.synthesise().read_text()))
        started = self.states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
        described = self.succeeded(started["executionArn"])
        return {kind: count.get("objects") for kind, count in json.loads(described["output"])["counts"].items() if kind != "skipped"}

    def expect(self, counts, **expected):
        none = dict.fromkeys(["listed", "present", "parked", "copied", "failed", "deleted", "kept", "undeleted"], 0)
        self.assertEqual(none | expected, counts)

    def test_what_is_missing_is_copied_and_what_nobody_has_is_deleted(self):
        bodies = {f"old/{number:02} a+b": noise(1_000 + number, number) for number in range(50)}
        bodies["old/large"] = noise(12 * MIB + 7, 50)
        for key, body in bodies.items():
            self.put(key, body)
        self.destination.put_object(Bucket="photos-cn", Key="old/nobody's", Body=b"to be deleted")
        self.destination.put_object(Bucket="photos-cn", Key="elsewhere", Body=b"not below the prefix")
        self.expect(self.counts("first"), listed=51, copied=51, deleted=1)
        listed = self.destination.list_objects_v2(Bucket="photos-cn", Prefix="old/")["Contents"]
        self.assertEqual(sorted(bodies), [one["Key"] for one in listed])
        for key, body in bodies.items():
            self.assert_same(key, body)
        self.destination.head_object(Bucket="photos-cn", Key="elsewhere")
        (nested,) = self.states.list_executions(stateMachineArn=self.machine)["executions"]
        self.assertEqual("old/large", json.loads(self.ended(nested["executionArn"])["input"])["source"]["key"])
        self.put("old/00 a+b", noise(2_000, 60))
        self.expect(self.counts("second"), listed=51, present=50, copied=1)
        self.assert_same("old/00 a+b", noise(2_000, 60))


class Replayed(Stack):
    """What docs/replay.md says, by the calls that the console makes for each click. Each class parks one transfer."""

    def transfer(self, key, body, concurrency):
        """A transfer by hand, with one round. Gives its end."""
        put = {"ContentType": "text/x-moved", "Metadata": {"who": "somebody"}, "Tagging": "team=maps"}
        self.source.put_object(Bucket="photos", Key=key, Body=body, **put)
        options = {"partSize": 5 * MIB, "wholeObjectLimit": 5 * MIB, "partsInFlight": 1, "rounds": 1, "backoffSeconds": 1}
        request = {
            "source": {"location": "global", "bucket": "photos", "key": key},
            "destination": {"location": "china", "bucket": "photos-cn", "key": key},
            "options": options | {"maxConcurrency": concurrency},
        }
        started = self.states.start_execution(stateMachineArn=self.machine, name=key, input=json.dumps(request))
        return self.ended(started["executionArn"])

    def parked(self, key, body):
        """A transfer that parks: the program of Part is gone, but for the one worker that the transfer before has left."""
        self.assertEqual("SUCCEEDED", self.transfer(f"{key}-before", noise(6 * MIB, 5), 1)["status"])
        (program,) = (self.home / "stacks" / "moves" / "functions").glob("*Part*/bootstrap")
        away = program.with_name("away")
        os.rename(program, away)
        parked = self.transfer(key, body, 2)
        os.rename(away, program)
        return parked

    def kinds(self, arn, after=0):
        """Types of the events behind an id, as the console's table of events shows them."""
        return [event["type"] for event in self.history(arn) if event["id"] > after]

    def sent(self, key):
        """Numbers of the parts that an open upload holds."""
        (upload,) = [one for one in self.uploads() if one["Key"] == key]
        parts = self.destination.list_parts(Bucket="photos-cn", Key=key, UploadId=upload["UploadId"])["Parts"]
        return [part["PartNumber"] for part in parts]


class Redrive(Replayed):
    def test_a_redrive_sends_only_what_is_missing(self):
        body = noise(47 * MIB, 4)
        failed = self.parked("parked", body)
        arn = failed["executionArn"]
        # Console: the execution's page. Status, error and cause, "Redrive count", and whether Redrive can be clicked.
        self.assertEqual(("FAILED", "RoundsExhausted"), (failed["status"], failed["error"]))
        self.assertIn("the upload is kept: redrive the execution", json.loads(failed["cause"])["errorMessage"])
        self.assertEqual((0, "REDRIVABLE"), (failed["redriveCount"], failed["redriveStatus"]))
        self.assertNotIn("redriveDate", failed)
        # Its events end with the task that failed and was not caught; the Map Run before it lists what each child did.
        before = self.history(arn)
        self.assertEqual(["TaskFailed", "ExecutionFailed"], self.kinds(arn)[-2:])
        self.assertIn("MapRunFailed", self.kinds(arn))
        (first,) = self.map_runs(arn)
        self.assertEqual("FAILED", self.states.describe_map_run(mapRunArn=first)["status"])
        there = self.sent("parked")
        self.assertTrue(0 < len(there) < 10, there)
        # Console: "Redrive".
        self.assertIn("redriveDate", self.states.redrive_execution(executionArn=arn))
        redriven = self.succeeded(arn)
        self.assert_same("parked", body)
        self.assertEqual((arn, 1), (redriven["executionArn"], redriven["redriveCount"]))
        self.assertEqual("NOT_REDRIVABLE", redriven["redriveStatus"])
        self.assertEqual("Execution is SUCCEEDED and cannot be redriven", redriven["redriveStatusReason"])
        self.assertEqual(failed["startDate"], redriven["startDate"])
        # The same history goes on: the state that failed is scheduled again, and not entered.
        self.assertEqual(before, self.history(arn)[: len(before)])
        after = self.kinds(arn, after=before[-1]["id"])
        self.assertEqual(["ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited"], after[:5])
        self.assertEqual("ExecutionSucceeded", after[-1])
        # A Map Run of its own, over what was missing.
        (second,) = [run for run in self.map_runs(arn) if run != first]
        self.assertEqual(sorted(set(range(1, 11)) - set(there)), self.parts_of(second))


class NewExecution(Replayed):
    def test_a_new_execution_takes_up_what_the_old_one_has_sent_and_the_old_one_is_content_with_it(self):
        body = noise(47 * MIB, 6)
        failed = self.parked("anew", body)
        arn, there = failed["executionArn"], self.sent("anew")
        # Console: "New execution" fills in the input of the old one; the name is another.
        new = self.states.start_execution(stateMachineArn=self.machine, input=failed["input"])["executionArn"]
        self.assertNotEqual(arn, new)
        described = self.succeeded(new)
        self.assertEqual((failed["input"], 0), (described["input"], described["redriveCount"]))
        (run,) = self.map_runs(new)
        self.assertEqual(sorted(set(range(1, 11)) - set(there)), self.parts_of(run))
        self.assert_same("anew", body)
        # The old one is as it was, and can still be redriven: it finds the object that the new one has made, and leaves it.
        self.assertEqual(("FAILED", "REDRIVABLE"), tuple(self.ended(arn)[name] for name in ("status", "redriveStatus")))
        made = self.destination.head_object(Bucket="photos-cn", Key="anew")["LastModified"]
        self.states.redrive_execution(executionArn=arn)
        ended = self.succeeded(arn)
        self.assertEqual(1, ended["redriveCount"])
        self.assert_same("anew", body)
        self.assertEqual(made, self.destination.head_object(Bucket="photos-cn", Key="anew")["LastModified"])
        # A third with the same input has nothing to do.
        third = self.states.start_execution(stateMachineArn=self.machine, input=failed["input"])["executionArn"]
        self.succeeded(third)
        self.assertEqual([], self.map_runs(third))
        self.assertIn("Skipped", [event.get("stateEnteredEventDetails", {}).get("name") for event in self.history(third)])

    def test_a_failure_before_anything_was_sent_is_redriven_once_its_reason_is_gone(self):
        self.source.put_object(
            Bucket="photos", Key="early", Body=b"early", ContentType="text/x-moved", Metadata={"who": "somebody"},
            Tagging="team=maps",
        )
        request = {
            "source": {"location": "global", "bucket": "photos", "key": "early"},
            "destination": {"location": "china", "bucket": "photos-later", "key": "early"},
        }
        arn = self.states.start_execution(stateMachineArn=self.machine, name="early", input=json.dumps(request))["executionArn"]
        failed = self.ended(arn)
        self.assertEqual(("FAILED", "DestinationNotFound"), (failed["status"], failed["error"]))
        # The name is taken for as long as the history is kept: a new execution needs another one.
        with self.assertRaises(self.states.exceptions.ExecutionAlreadyExists):
            self.states.start_execution(stateMachineArn=self.machine, name="early", input=json.dumps(request))
        self.destination.create_bucket(
            Bucket="photos-later", CreateBucketConfiguration={"LocationConstraint": "cn-north-1"}
        )
        self.states.redrive_execution(executionArn=arn)
        self.assertEqual(1, self.succeeded(arn)["redriveCount"])
        self.assert_same("early", b"early", bucket="photos-later")


class Rights(Replayed):
    """What the roles of the machines may do is what the engine did for them, as the histories tell; and nothing beside but what
    no event shows. The results' bucket is written by the service itself."""

    # The documentation of Distributed Map and of ResultWriter asks for these. They are calls of the service without an event.
    UNSEEN = {
        "states:DescribeExecution", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload",
    }
    # Of every machine: where logs and traces go.
    DELIVERY = ("logs:", "xray:")

    def given(self, machine):
        """Actions of a machine's role, and the functions that it may invoke."""
        resources = json.loads(support.synthesise().read_text())["Resources"]
        named = next(one for one in resources.values() if one["Properties"].get("StateMachineName") == machine)
        role = named["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        policies = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Policy"]
        statements = [
            statement
            for policy in policies if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        actions, functions = set(), set()
        for statement in statements:
            some = as_list(statement["Action"])
            actions.update(action for action in some if not action.startswith(self.DELIVERY))
            if "lambda:InvokeFunction" in some:
                functions.update(one["Fn::GetAtt"][0] for one in as_list(statement["Resource"]))
        return actions, functions

    def used(self, arns):
        """The same of what these executions, and the children of their maps, did."""
        actions, functions = set(), set()
        for arn in arns:
            for event in self.history(arn):
                self.note(event, actions, functions)
            for run in self.map_runs(arn):
                children = self.states.list_executions(mapRunArn=run)["executions"]
                actions.update("states:StopExecution" for one in children if one["status"] == "ABORTED")
                for child in children:
                    for event in self.history(child["executionArn"]):
                        self.note(event, actions, functions)
        return actions, functions

    def note(self, event, actions, functions):
        kinds = {"MapRunStarted": "states:StartExecution", "MapRunRedriven": "states:RedriveExecution"}
        actions.update([kinds[event["type"]]] if event["type"] in kinds else [])
        if "ResultWriterDetails" in event.get("stateExitedEventDetails", {}).get("output", ""):
            actions.add("s3:PutObject")
        task = event.get("taskScheduledEventDetails")
        if task and task["resourceType"] == "lambda":
            actions.add("lambda:InvokeFunction")
            functions.add(json.loads(task["parameters"])["FunctionName"].rsplit(":moves-", 1)[1])
        elif task:
            actions.add(f"states:{task['resource'][0].upper()}{task['resource'][1:]}")

    def test_the_machines_use_what_they_are_given(self):
        self.put("in/small", b"small")
        small = self.started_for("in/small")
        self.succeeded(small)
        # Parked, overtaken by another, redriven: this one has an upload to release.
        failed = self.parked("aborts", noise(47 * MIB, 7))
        new = self.states.start_execution(stateMachineArn=self.machine, input=failed["input"])["executionArn"]
        self.succeeded(new)
        self.states.redrive_execution(executionArn=failed["executionArn"])
        self.succeeded(failed["executionArn"])
        # Stopped while its map runs, cleaned up after, and redriven.
        stopped = self.stopped("in/stopped")
        cleaning = until(lambda: self.janitor_of(stopped), "the janitor's start")
        until(lambda: self.released(cleaning), "a release")
        self.states.redrive_execution(executionArn=stopped)
        self.succeeded(stopped)
        used = self.used([small, failed["executionArn"], new, stopped])
        given = self.given(OBJECT)
        # Nothing is deleted or archived here.
        idle = {name for name in given[1] if name.startswith(("TransloadRemove", "TransloadThaw"))}
        self.assertEqual(2, len(idle))
        self.assertEqual(given[1] - idle, used[1])
        self.assertEqual(given[0] - self.UNSEEN, used[0])
        self.assertTrue(self.UNSEEN <= given[0])
        self.assertEqual(self.given(JANITOR), self.used([cleaning]))


def as_list(value):
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    unittest.main()
