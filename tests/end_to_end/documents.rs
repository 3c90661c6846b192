//! What docs/operations.md tells people to type into the AWS CLI is what the AWS CLI takes: it checks names and forms of
//! arguments itself, and then finds nobody at the address that it is given.

use std::path::Path;
use std::process::{Child, Command, Stdio};

const OPERATIONS: &str = include_str!("../../docs/operations.md");

#[test]
fn the_aws_cli_takes_every_command_of_the_document() {
    let folder = tempfile::tempdir().unwrap();
    for named in ["china-key.json", "notifications.json"] {
        std::fs::write(folder.path().join(named), "{}").unwrap();
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{closed}");
    let lines = OPERATIONS.lines().map(str::trim).filter(|line| line.starts_with("aws "));
    let lines: Vec<&str> = lines.map(|line| line.split(" > ").next().unwrap()).collect();
    assert!(lines.len() >= 15, "{} commands were found", lines.len());
    // Four at a time: each is a Python of its own.
    for some in lines.chunks(4) {
        let started: Vec<_> = some.iter().map(|line| (line, typed(line, folder.path(), &nobody))).collect();
        for (line, child) in started {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("Could not connect to the endpoint URL"), "{line}\n{said}");
        }
    }
}

fn typed(line: &str, folder: &Path, endpoint: &str) -> Child {
    Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
