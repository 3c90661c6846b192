"""Talks to the server with boto3 and the AWS command line. Arguments: endpoint, access key, secret."""

import json
import os
import subprocess
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, KEY, SECRET = sys.argv[1:4]
REGION = "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/test"


def client(key=KEY, secret=SECRET, token=None, **config):
    return boto3.client(
        "stepfunctions",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, (code, error)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error.response
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return
    raise AssertionError(f"{code}: not refused")


def definition(state):
    return json.dumps({"StartAt": "S", "States": {"S": state}})


def boto():
    states = client()
    passes = definition({"Type": "Pass", "End": True})
    arn = states.create_state_machine(name="boto", definition=passes, roleArn=ROLE)["stateMachineArn"]
    started = states.start_execution(stateMachineArn=arn, input='{"n": 1}')["executionArn"]
    while (found := states.describe_execution(executionArn=started))["status"] == "RUNNING":
        time.sleep(0.01)
    assert found["status"] == "SUCCEEDED" and json.loads(found["output"]) == {"n": 1}, found
    pages = states.get_paginator("get_execution_history").paginate(
        executionArn=started, PaginationConfig={"PageSize": 3}
    )
    types = [event["type"] for page in pages for event in page["events"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"], types
    newest = states.get_execution_history(executionArn=started, reverseOrder=True, maxResults=1)["events"]
    assert newest[0]["type"] == "ExecutionSucceeded", newest
    try:
        states.describe_state_machine(stateMachineArn=arn + "x")
    except states.exceptions.StateMachineDoesNotExist:
        pass
    else:
        raise AssertionError("a machine that is not there")
    refused("InvalidDefinition", states.create_state_machine, name="x", definition="{}", roleArn=ROLE)
    refused("InvalidArn", states.describe_execution, executionArn="nonsense")
    refused("UnrecognizedClientException", client(key="AKIDOTHER").list_state_machines)
    refused("InvalidSignatureException", client(secret="other").list_state_machines)
    refused("UnrecognizedClientException", client(token="token").list_state_machines)
    return arn


def all_of_the_api(arn):
    """What the other tests leave out; the two actions with a host of their own keep to ours."""
    states = client(inject_host_prefix=False)
    passes = definition({"Type": "Pass", "Result": 1, "End": True})
    created = states.create_state_machine(name="express", definition=passes, roleArn=ROLE, type="EXPRESS")
    ran = states.start_sync_execution(stateMachineArn=created["stateMachineArn"], input="{}")
    assert (ran["status"], ran["output"]) == ("SUCCEEDED", "1"), ran
    tested = states.test_state(definition='{"Type": "Pass", "Result": 2, "Next": "X"}', roleArn=ROLE, input="{}")
    assert (tested["status"], tested["output"], tested["nextState"]) == ("SUCCEEDED", "2", "X"), tested
    assert states.validate_state_machine_definition(definition=passes)["result"] == "OK"
    wrong = states.validate_state_machine_definition(definition=definition({"Type": "Fly"}))
    assert wrong["result"] == "FAIL" and wrong["diagnostics"], wrong
    states.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    assert states.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    version = states.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"]
    assert version == arn + ":1", version
    refused("InvalidToken", states.send_task_success, taskToken="nonsense", output="{}")
    states.delete_state_machine(stateMachineArn=created["stateMachineArn"])


def aws(*arguments, fails=None):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION=REGION)
    command = ["aws", "stepfunctions", *arguments, "--endpoint-url", ENDPOINT, "--output", "json"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    if fails:
        assert ran.returncode != 0 and fails in ran.stderr, (arguments, ran)
        return None
    assert ran.returncode == 0, (arguments, ran.stderr)
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def command_line(arn):
    machines = aws("list-state-machines")["stateMachines"]
    assert "boto" in [machine["name"] for machine in machines], machines
    waits = definition({"Type": "Wait", "Seconds": 3600, "End": True})
    waiting = aws("create-state-machine", "--name", "cli", "--definition", waits, "--role-arn", ROLE)
    execution = aws("start-execution", "--state-machine-arn", waiting["stateMachineArn"])["executionArn"]
    aws("stop-execution", "--execution-arn", execution, "--cause", "enough")
    found = aws("describe-execution", "--execution-arn", execution)
    assert (found["status"], found.get("cause")) == ("ABORTED", "enough"), found
    aws("redrive-execution", "--execution-arn", execution)
    assert aws("describe-execution", "--execution-arn", execution)["redriveCount"] == 1
    aws("stop-execution", "--execution-arn", execution)
    aws("start-execution", "--state-machine-arn", arn, "--input", "{", fails="InvalidExecutionInput")


ARN = boto()
all_of_the_api(ARN)
command_line(ARN)
print("done")
