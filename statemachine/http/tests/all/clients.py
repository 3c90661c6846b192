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


def client(key=KEY, secret=SECRET, token=None):
    return boto3.client(
        "stepfunctions",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
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
    assert [machine["name"] for machine in machines] == ["boto"], machines
    waits = definition({"Type": "Wait", "Seconds": 3600, "End": True})
    waiting = aws("create-state-machine", "--name", "cli", "--definition", waits, "--role-arn", ROLE)
    execution = aws("start-execution", "--state-machine-arn", waiting["stateMachineArn"])["executionArn"]
    aws("stop-execution", "--execution-arn", execution, "--cause", "enough")
    found = aws("describe-execution", "--execution-arn", execution)
    assert (found["status"], found["cause"]) == ("ABORTED", "enough"), found
    aws("redrive-execution", "--execution-arn", execution)
    assert aws("describe-execution", "--execution-arn", execution)["redriveCount"] == 1
    aws("stop-execution", "--execution-arn", execution)
    aws("start-execution", "--state-machine-arn", arn, "--input", "{", fails="InvalidExecutionInput")


command_line(boto())
print("done")
