"""The machine that holds transfers back while a file system has few burst credits, as it is deployed, on our own engine: against
executions of machines of its own whose children only wait, and events as CloudWatch sends them."""

import json
import shutil
import subprocess
import unittest
from pathlib import Path

from support import REPOSITORY, WORK, client, transload, until

DEFINITION = REPOSITORY / "statemachine" / "pacer.asl.json"
ROLE = "arn:aws:iam::000000000000:role/any"


def waits(label):
    """Many children at a time that wait: only how many there are is of interest."""
    child = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 2, "End": True}}}
    child["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    state = {"Type": "Map", "Label": label, "Items": "{% [1..400] %}", "MaxConcurrency": 8, "ItemProcessor": child, "End": True}
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": label, "States": {label: state}})


class Pacer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        home = WORK / "home-pacer"
        shutil.rmtree(home, ignore_errors=True)
        arguments = ["local", "--s3-port", "0", "--sfn-port", "0", "--home", str(home), "--output", "json"]
        cls.process = subprocess.Popen(**transload(*arguments), stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)
        welcome = json.loads(cls.process.stdout.readline())
        source, api = welcome["source"], welcome["stepFunctions"]
        lines = Path(source["credentials"]).read_text().splitlines()
        keys = dict(line.split(" = ", 1) for line in lines if " = " in line)
        cls.states = client("stepfunctions", api["endpoint"], source["region"], keys)
        cls.objects, cls.buckets = cls.machine("objects", waits("Parts")), cls.machine("buckets", waits("Batches"))
        text = DEFINITION.read_text()
        for name, value in {
            "FileLocation": "efs",
            "LowConcurrency": "1",
            "ObjectStateMachineArn": cls.objects,
            "BucketStateMachineArn": cls.buckets,
        }.items():
            text = text.replace(f"${{{name}}}", value)
        cls.pacer = cls.machine("pacer", text)

    @classmethod
    def end(cls):
        cls.process.terminate()
        cls.process.wait(timeout=60)
        cls.process.stdout.close()

    @classmethod
    def machine(cls, name, definition):
        return cls.states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]

    def run_of(self, machine, source, destination, **asked):
        """An execution whose Map is under way."""
        given = {"source": {"location": source}, "destination": {"location": destination}, **asked}
        arn = self.states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        self.addCleanup(lambda: self.states.stop_execution(executionArn=arn))
        until(lambda: self.states.list_map_runs(executionArn=arn)["mapRuns"], "a Map Run")
        return arn

    def map_run(self, arn):
        return self.states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]

    def concurrency(self, arn):
        return self.states.describe_map_run(mapRunArn=self.map_run(arn))["maxConcurrency"]

    def event(self, value):
        given = {"detail-type": "CloudWatch Alarm State Change", "detail": {"state": {"value": value}}}
        return self.states.start_execution(stateMachineArn=self.pacer, input=json.dumps(given))["executionArn"]

    def status(self, arn):
        return self.states.describe_execution(executionArn=arn)["status"]

    def test_only_what_has_an_end_on_the_file_system_is_held_back_and_all_of_it_let_go_again(self):
        reads = self.run_of(self.objects, "efs", "china", options={"maxConcurrency": 8})
        writes = self.run_of(self.buckets, "global", "efs", sync={"batchConcurrency": 8})
        others = self.run_of(self.objects, "global", "china", options={"maxConcurrency": 8})
        tuned = self.run_of(self.objects, "efs", "china", options={"maxConcurrency": 8})
        low = self.event("ALARM")
        until(lambda: self.concurrency(reads) == 1 and self.concurrency(writes) == 1, "few children")
        self.assertEqual(8, self.concurrency(others))
        self.assertEqual("RUNNING", self.status(low), "it looks again as long as credits are few")
        # Somebody's own wish, given meanwhile.
        self.states.update_map_run(mapRunArn=self.map_run(tuned), maxConcurrency=3)
        enough = self.event("OK")
        until(lambda: self.status(enough) == "SUCCEEDED", "the end of the newest event's execution")
        self.assertEqual([8, 8, 8, 3], [self.concurrency(arn) for arn in (reads, writes, others, tuned)])
        described = self.states.describe_execution(executionArn=low)
        self.assertEqual(("ABORTED", "Superseded"), (described["status"], described["error"]))

    def test_with_nothing_to_hold_back_it_ends(self):
        enough = self.event("OK")
        until(lambda: self.status(enough) == "SUCCEEDED", "the end")


if __name__ == "__main__":
    unittest.main()
