//! What others do while transfers are under way.

use std::time::Duration;

use fastrand::Rng;

use crate::DESTINATION_BUCKET;
use crate::world::{Outcome, World};

/// One act. The number says which object it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// The source is overwritten.
    Overwrite(usize),
    /// The source is deleted.
    Delete(usize),
    /// Another writer puts something at the destination.
    Rival(usize),
    /// The execution is stopped.
    Stop(usize),
    /// A second execution is started for the same object.
    Again(usize),
    /// A lifecycle rule ends the object's uploads.
    Expire(usize),
    /// The engine is killed.
    Crash,
    /// All workers that wait are ended.
    Recycle,
    /// A place is out of reach.
    Part(&'static str, Duration),
    /// Writes of results fail.
    Results(u32),
    /// Parked transfers are redriven.
    Redrive,
    /// Time passes, as far as a redrive allows.
    Days(u64),
}

impl Act {
    pub(super) fn draw(rng: &mut Rng, objects: usize) -> Self {
        let which = rng.usize(0..objects);
        match rng.u8(0..14) {
            0 => Self::Overwrite(which),
            1 => Self::Delete(which),
            2 | 3 => Self::Rival(which),
            4 => Self::Stop(which),
            5 => Self::Again(which),
            6 => Self::Expire(which),
            7 | 8 => Self::Crash,
            9 => Self::Recycle,
            10 => {
                Self::Part(["source", "destination"][rng.usize(0..2)], Duration::from_secs(rng.u64(1..300)))
            }
            11 => Self::Results(rng.u32(1..4)),
            12 => Self::Redrive,
            _ => Self::Days(rng.u64(1..14)),
        }
    }

    /// Does it. `draw` makes bytes that nobody wrote before.
    pub(super) async fn happen(
        self,
        world: &World,
        keys: &[String],
        arns: &[String],
        rng: &mut Rng,
    ) -> Outcome<()> {
        match self {
            Self::Overwrite(which) => {
                world.put_source(&keys[which], &bytes(rng, 700));
            }
            Self::Delete(which) => world.delete_source(&keys[which]),
            Self::Rival(which) => world.put_rival(&keys[which], &bytes(rng, 40)),
            Self::Stop(which) => world.stop(&arns[which]).await?,
            Self::Again(which) => drop(world.start(&keys[which]).await?),
            Self::Expire(which) => {
                for upload in world.uploads().iter().filter(|upload| upload.key == keys[which]) {
                    world.trace.note(format_args!("a lifecycle rule ends {}", upload.upload_id));
                    world.direct().abort(DESTINATION_BUCKET, &upload.key, &upload.upload_id);
                }
            }
            Self::Crash => world.crash_engine().await?,
            Self::Recycle => world.workers.recycle(),
            Self::Part(place, time) => world.network.part(place, time),
            Self::Results(count) => world.results.fail(count),
            Self::Redrive => redrive(world, arns).await?,
            Self::Days(days) => world.advance(Duration::from_secs(days * 86_400)).await,
        }
        Ok(())
    }
}

async fn redrive(world: &World, arns: &[String]) -> Outcome<()> {
    for arn in arns {
        let now = world.within(arn, Duration::ZERO).await?;
        if now.parked {
            // Too late, perhaps: then it stays as it is.
            let _ = world.redrive(arn).await;
        }
    }
    Ok(())
}

/// Bytes that nobody wrote before.
pub(super) fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..rng.usize(0..=most) + 16).map(|_| rng.u8(..)).collect();
    rng.fill(&mut bytes[..8]);
    bytes
}
