//! What every row needs: a world with five parts, a fault in it, an end, and the invariants.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use simulation::{Builder, Ended, Outcome, SOURCE_BUCKET, World};
use strict_s3::{Direct, FaultPlan, Rule};

/// Bytes of a part in these worlds.
pub(crate) const PART: u64 = 256;

/// An object of five parts, of which no two bytes that are near are alike.
pub(crate) fn five() -> Vec<u8> {
    object(1_200)
}

/// An object of this many bytes.
pub(crate) fn object(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// Another version of it, as long.
pub(crate) fn newer() -> Vec<u8> {
    five().iter().map(|byte| !byte).collect()
}

/// Runs a case; says which one failed.
pub(crate) fn case<T>(name: impl std::fmt::Debug, work: impl Future<Output = Outcome<T>>) -> T {
    simulation::run(1, work).unwrap_or_else(|error| panic!("{name:?}: {error}"))
}

/// A world with the five parts in it.
pub(crate) async fn world() -> Outcome<World> {
    world_of(World::builder(1)).await
}

/// The same, made otherwise.
pub(crate) async fn world_of(builder: Builder) -> Outcome<World> {
    let world = builder.build().await?;
    world.put_source("k", &five());
    Ok(world)
}

/// Rules in order.
pub(crate) fn plan(rules: impl IntoIterator<Item = Rule>) -> FaultPlan {
    rules.into_iter().fold(FaultPlan::seeded(1), FaultPlan::rule)
}

/// The transfer ends with the object, and all invariants hold.
pub(crate) async fn succeeds(world: &World) -> Outcome<Ended> {
    let ended = world.transfer("k").await?;
    copied(world, &ended, &five());
    world.check().await?;
    Ok(ended)
}

/// As [`succeeds`], and each state needs one invocation: what went wrong was mended within it.
pub(crate) async fn succeeds_at_once(world: &World) -> Outcome<Ended> {
    let ended = world.transfer("k").await?;
    copied(world, &ended, &five());
    // Head, Init, five children, Complete.
    assert_eq!(world.workers.calls(), 8, "{ended:?}\n{}", world.trace.text());
    world.check().await?;
    Ok(ended)
}

/// It ended with these very bytes.
pub(crate) fn copied(world: &World, ended: &Ended, bytes: &[u8]) {
    let at = format!("{ended:?}\n{}", world.trace.text());
    assert_eq!(ended.output["status"], "copied", "{at}");
    assert!(world.arrived("k").unwrap().bytes().unwrap() == bytes, "other bytes arrived: {at}");
}

/// The transfer fails for good by this name, nothing stands at the destination, and all invariants hold.
pub(crate) async fn fails(world: &World, error: &str) -> Outcome<Ended> {
    let ended = world.transfer("k").await?;
    let at = format!("{ended:?}\n{}", world.trace.text());
    assert_eq!((ended.error.as_str(), ended.parked), (error, false), "{at}");
    assert!(world.arrived("k").is_none() && world.uploads().is_empty(), "{at}");
    world.check().await?;
    Ok(ended)
}

/// The transfer ends by this name and may be redriven, with its upload kept; all invariants hold.
pub(crate) async fn parks(world: &World, error: &str) -> Outcome<Ended> {
    let ended = world.transfer("k").await?;
    let at = format!("{ended:?}\n{}", world.trace.text());
    assert_eq!((ended.error.as_str(), ended.parked), (error, true), "{at}");
    assert!(world.arrived("k").is_none(), "{at}");
    world.check().await?;
    Ok(ended)
}

/// Requests of an operation that a place has seen.
pub(crate) fn seen(server: &strict_s3::Server, operation: &str) -> u64 {
    server.counts().get(operation).copied().unwrap_or_default()
}

/// Requests that a place met with a fault.
pub(crate) fn met(world: &World) -> usize {
    let both = [world.source.requests(), world.destination.requests()];
    both.iter().flatten().filter(|request| request.fault.is_some()).count()
}

/// Waits until something is so, in steps of a millisecond.
pub(crate) async fn until(world: &World, holds: impl Fn() -> bool) {
    for _ in 0..600_000 {
        if holds() {
            return;
        }
        world.advance(Duration::from_millis(1)).await;
    }
    panic!("not within ten minutes:\n{}", world.trace.text());
}

/// Puts another version in the source's place: noted in the world before, so that it is known when it arrives.
pub(crate) fn overwrite(direct: &Direct, bytes: Vec<u8>) {
    let headers = [("content-type", "text/x"), ("x-amz-meta-colour", "red")];
    let headers: HeaderMap = headers
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect();
    let tags = vec![("team".to_owned(), "maps".to_owned())];
    direct.put_with(SOURCE_BUCKET, "k", Bytes::from(bytes), headers, tags);
}

/// What stands for a store of the simplest kind: no checksums, no trailers, no conditions, MD5s as ETags.
pub(crate) fn generic(builder: Builder) -> Builder {
    let capabilities = strict_s3::Capabilities {
        crc64nvme: false,
        checksums: false,
        trailers: false,
        conditional_writes: false,
        ..strict_s3::Capabilities::default()
    };
    builder.destination(json!({"profile": "generic", "etag_md5": true}), capabilities)
}
