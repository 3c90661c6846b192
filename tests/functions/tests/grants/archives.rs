//! What packing and unpacking ask of the two ends: archives that are new and that replace one, files in one request and in parts,
//! and what stands there already. What goes otherwise than it should is told, not asserted: without a right something has to.

use serde_json::{Value, json};
use transload_pack::{PackInput, PackOutput};
use transload_store::Deadline;
use transload_unpack::{UnpackInput, UnpackOutput, Unpacked};

use crate::many::read;
use crate::scenarios::{Ran, same, told};
use crate::setup::{Setup, Tags};

/// A file that goes in parts.
const LARGE: usize = 5 << 20;

/// Between two buckets.
struct Scene<'a> {
    setup: &'a Setup,
    from: &'static str,
    to: &'static str,
}

/// All of them, between all buckets.
pub(crate) async fn all(setup: &Setup) -> Ran {
    for (from, to) in setup.buckets() {
        let scene = Scene { setup, from, to };
        scene.put("in/a", b"bytes");
        scene.put("in/b", &vec![b'x'; LARGE]);
        // Nothing there, and something to replace.
        for _ in 0..2 {
            scene.packed().await?;
        }
        scene.put("archive", &tar(&[("a", b"bytes"), ("b", &vec![b'x'; LARGE])]));
        same("written", scene.unpacked("archive").await?.objects, 2)?;
        same("found again", scene.unpacked("archive").await?.present, 2)?;
        scene.put("archive", &tar(&[("a", b"other"), ("b", &vec![b'y'; LARGE])]));
        same("replaced", scene.unpacked("archive").await?.objects, 2)?;
        let none = scene.unpacked("nothing").await.err().unwrap_or_default();
        same("told", none.contains("SourceNotFound"), true)?;
    }
    Ok(())
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).expect("an archive in memory");
    }
    builder.into_inner().expect("an archive in memory")
}

impl Scene<'_> {
    fn put(&self, key: &str, content: &[u8]) {
        let direct = self.setup.source.direct();
        direct.put(self.from, key, content.to_vec()).expect("a bucket");
    }

    fn options(&self) -> Value {
        match self.setup.circumstances.tags {
            Tags::Given | Tags::Copied => json!({"partSize": 1 << 20, "tags": {"given": "yes"}}),
            Tags::None => json!({"partSize": 1 << 20, "copyTags": false}),
        }
    }

    fn execution(&self) -> Value {
        json!({"id": "one", "startTime": "2026-01-31T12:00:00Z", "redriveCount": 0})
    }

    async fn packed(&self) -> Ran {
        let request = json!({"source": {"location": "global", "bucket": self.from, "prefix": "in/"},
            "destination": {"location": "china", "bucket": self.to, "key": "archive.tar"}, "options": self.options()});
        let (mut begun, mut left) = (Value::Null, Value::Null);
        loop {
            let input =
                json!({"request": request, "execution": self.execution(), "begun": begun, "left": left});
            let input: PackInput = read(&input);
            let output = transload_pack::handle(&self.setup.of("pack"), Deadline::NONE, input).await;
            let output: PackOutput = told("pack", output)?;
            if output.left.is_none() {
                // What Complete does: this is about the rights of Pack.
                let parts = output.whole.map_or(0, |whole| whole.layout.count());
                self.setup.destination.direct().put(self.to, "archive.tar", "an archive").expect("a bucket");
                return same("parts", parts, 6);
            }
            begun = json!(output.begun);
            left = json!(output.left);
        }
    }

    async fn unpacked(&self, archive: &str) -> Result<Unpacked, String> {
        let request = json!({"source": {"location": "global", "bucket": self.from, "key": archive},
            "destination": {"location": "china", "bucket": self.to, "prefix": "out/"}, "options": self.options()});
        let (mut pinned, mut left) = (Value::Null, Value::Null);
        loop {
            let input =
                json!({"request": request, "execution": self.execution(), "pinned": pinned, "left": left});
            let input: UnpackInput = read(&input);
            let output = transload_unpack::handle(&self.setup.of("unpack"), Deadline::NONE, input).await;
            let output: UnpackOutput = told("unpack", output)?;
            if let Some(unpacked) = output.unpacked {
                return Ok(unpacked);
            }
            pinned = json!(output.pinned);
            left = json!(output.left);
        }
    }
}
