//! A server that nobody here wrote: Python's, which serves no ranges, no ETag, and a date.

use std::process::Stdio;

use odd_https::{Reply, Server};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use transload_wire::Decision;

use crate::kit::{Kit, bytes};

#[tokio::test]
async fn a_file_of_pythons_server_arrives() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f"), bytes(60)).unwrap();
    let mut python = Command::new("python3")
        .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("python3");
    // "Serving HTTP on 127.0.0.1 port 40000 (http://127.0.0.1:40000/) ..."
    let line = BufReader::new(python.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    let port = line.split("port ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let unused = Server::plain(|_, _| Reply::status(500)).await.unwrap();
    let mut kit = Kit::over(unused, "http_hosts = [\"localhost\"]");
    kit.read(&json!({"url": format!("http://localhost:{port}/f")}));
    let head = kit.head().await.unwrap();
    assert_eq!((head.decision, head.source.size), (Decision::Copy, 60));
    assert!(head.source.etag.as_str().starts_with("~once/modified/"), "{}", head.source.etag);
    kit.copies(&bytes(60)).await;
    python.kill().await.unwrap();
}
