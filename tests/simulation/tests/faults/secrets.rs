//! I5 for logs: what the workers log under each fault, at the level that they never go below, holds no key.
//!
//! The trace (every error, output and history that a case has shown), the engine's database and the Maps' results are
//! searched by the invariants, after each case of this suite.

use std::io;
use std::sync::{Arc, Mutex};

use simulation::CANARIES;
use tracing::Level;

use crate::injector::world_with;
use crate::injectors::{ROWS, row};
use crate::kit::case;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn secrets_stand_in_no_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(Level::INFO).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        for number in ROWS {
            case(number, async {
                let (world, course) = world_with(vec![row(number)]).await?;
                course.run(&world).await
            });
        }
    });
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!logged.is_empty(), "expected lines, found none");
    for canary in CANARIES {
        assert!(!logged.contains(canary), "{}... is logged", &canary[..6]);
    }
}
