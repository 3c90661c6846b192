//! Runs the server by hand until Ctrl-C:
//! `cargo run -p strict-s3 --example serve -- --port 9000 --dir DIR --access-key KEY --secret-key SECRET --bucket b`.
//! The secret may also come from `AWS_SECRET_ACCESS_KEY`, which keeps it out of the list of processes.

use std::error::Error;

use strict_s3::{BucketOptions, Server, Storage};

const USAGE: &str = "\
serve [--port N] [--dir DIR] [--access-key KEY] [--secret-key SECRET] [--region R] [--bucket NAME]... [--versioned]
  --port        0, the default, lets the system choose
  --dir         keeps bytes in files there instead of in memory; they end with the server
  --access-key  default: $AWS_ACCESS_KEY_ID, else AKIDEXAMPLE; given again it begins a further pair
  --secret-key  default: $AWS_SECRET_ACCESS_KEY, else secret
  --region      default: us-east-1
  --versioned   buckets keep old versions";

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (mut access_keys, mut secrets) = (Vec::new(), Vec::new());
    let (mut builder, mut buckets, mut options) = (Server::builder(), Vec::new(), BucketOptions::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--versioned" {
            options = BucketOptions::versioned();
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
        match name.as_str() {
            "--port" => {
                builder = builder.port(value.parse().map_err(|_| format!("--port: not a port: {value}"))?)
            }
            "--dir" => builder = builder.storage(Storage::Directory(value.into())),
            "--access-key" => access_keys.push(value),
            "--secret-key" => secrets.push(value),
            "--region" => builder = builder.region(value),
            "--bucket" => buckets.push(value),
            _ => return Err(format!("unknown argument {name}\n{USAGE}").into()),
        }
    }
    for bucket in buckets {
        builder = builder.bucket(bucket, options.clone());
    }
    if access_keys.is_empty() {
        access_keys.push(variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"));
    }
    secrets.resize_with(access_keys.len(), || variable("AWS_SECRET_ACCESS_KEY", "secret"));
    let pairs = access_keys.into_iter().zip(secrets);
    let server =
        pairs.fold(builder, |builder, (key, secret)| builder.credentials(key, secret)).start().await?;
    println!("{}", server.endpoint());
    tokio::signal::ctrl_c().await?;
    println!("{:?}", server.counts());
    server.shutdown().await;
    Ok(())
}
