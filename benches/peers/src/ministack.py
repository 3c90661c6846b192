"""Runs one Map on MiniStack and prints the seconds from StartExecution to its end: NAME PORT DEFINITION CHILDREN."""

import io
import json
import subprocess
import sys
import time
import zipfile

import boto3

program, port, definition, children = sys.argv[1:]
url = f"http://127.0.0.1:{port}"
server = subprocess.Popen([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def client(name):
    return boto3.client(name, endpoint_url=url, region_name="us-east-1")


def wait_until_it_answers():
    for _ in range(300):
        try:
            return client("sts").get_caller_identity()
        except Exception:
            time.sleep(0.2)
    raise SystemExit("MiniStack does not answer")


def archive():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        package.writestr("empty.py", "def handler(event, context):\n    return {}\n")
    return data.getvalue()


def run():
    wait_until_it_answers()
    role = "arn:aws:iam::000000000000:role/empty"
    client("lambda").create_function(
        FunctionName="empty", Runtime="python3.11", Role=role, Handler="empty.handler", Code={"ZipFile": archive()}
    )
    states = client("stepfunctions")
    machine = states.create_state_machine(name="children", definition=definition, roleArn=role)
    work = json.dumps({"items": list(range(int(children)))})
    begun = time.monotonic()
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"], input=work)
    while True:
        found = states.describe_execution(executionArn=execution["executionArn"])
        if found["status"] != "RUNNING":
            break
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    if found["status"] != "SUCCEEDED":
        raise SystemExit(f"{found['status']}: {found.get('error')}: {found.get('cause')}")
    if len(json.loads(found["output"])) != int(children):
        raise SystemExit("not every child answered")
    print(json.dumps({"seconds": seconds, "start": 0.0}))


try:
    run()
finally:
    server.terminate()
    server.wait()
