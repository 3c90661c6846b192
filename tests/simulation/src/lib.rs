//! The whole workflow in one deterministic process: the real definitions on the real engine, the real handlers over the
//! real S3 client, the strict S3 server; one thread, no sockets, no wall clock. Time jumps when nothing is to be done, so
//! an hour of backing off costs nothing, and the same seed gives the same trace, byte for byte.
//!
//! A fault is a few lines: say what goes wrong, run the transfer, and let the invariants judge.
//!
//! ```
//! use simulation::{At, Fault, Turn, Way, World};
//! use strict_s3::{Action, Answer, Rule};
//!
//! simulation::run(7, async {
//!     let world = World::builder(7).build().await?;
//!     world.put_source("k", &[7; 1_200]); // five parts of 256 bytes
//!     // The store itself misbehaves: rules of the strict server.
//!     world.destination.set_faults(Rule::on("UploadPart", Action::Answer(Answer::slow_down())).first(3));
//!     // The network does: here the first answer to Complete is lost.
//!     let mut lost = false;
//!     world.network.decide(move |exchange| match exchange.operation() {
//!         "CompleteMultipartUpload" if !std::mem::replace(&mut lost, true) => vec![Fault::LOST_ANSWER],
//!         "GetObject" => vec![Fault::Slow(std::time::Duration::from_millis(300))],
//!         _ => vec![],
//!     });
//!     // The workers do: the second invocation of Part is killed at its fifth wait.
//!     world.workers.decide(|call| match (call.function.as_str(), call.number) {
//!         ("part", 4) => vec![simulation::Mishap::Killed(5)],
//!         _ => vec![],
//!     });
//!     let ended = world.transfer("k").await?;
//!     assert_eq!((ended.status.as_str(), ended.output["status"].as_str()), ("SUCCEEDED", Some("copied")));
//!     assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), vec![7; 1_200]);
//!     world.check().await?; // I1 to I6; violations are an error
//!     Ok(())
//! })
//! .unwrap();
//! # let _ = Fault::Strike(Way::Up, At::Body(3), Turn::Flip(0));
//! ```

mod builder;
mod bus;
mod connector;
mod direct;
pub mod invariants;
mod ledger;
mod network;
mod objects;
mod places;
pub mod random;
mod seed;
mod time;
mod trace;
mod wire;
mod workers;
mod world;

pub use builder::{Builder, JANITOR};
pub use bus::Bus;
pub use network::Network;
pub use objects::Results;
pub use places::{CANARIES, Decorate};
pub use seed::Seed;
pub use time::Time;
pub use trace::Trace;
pub use wire::{At, Exchange, Fault, Turn, Way};
pub use workers::{Call, Mishap, Workers};
pub use world::{Broken, Ended, Outcome, World};

/// A world is made of small allocations: with this allocator it takes a fifth less time than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The bucket that is copied from.
pub const SOURCE_BUCKET: &str = "photos";
/// The bucket that is copied to.
pub const DESTINATION_BUCKET: &str = "photos-cn";

/// Runs a world's future on a runtime of its own: one thread, paused time, everything drawn from the seed.
///
/// # Errors
/// The future's own, or that there is no runtime.
pub fn run<T>(seed: u64, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    // The SDK and our own pauses draw from this thread's generator.
    fastrand::seed(Seed(seed).number("pauses"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(Broken::of)?.block_on(work)
}
