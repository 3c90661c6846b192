//! Two stores, and a request to copy from one to the other.

use transload_plan::Limits;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_wire::{
    Attributes, Failure, ORDER_METADATA, Options, SOURCE_METADATA, TOKEN_METADATA, TransferRequest,
};

/// Bucket and key of the source, and of the destination.
const FROM: (&str, &str) = ("photos", "a/b c+d");
const TO: (&str, &str) = ("photos-cn", "a");

/// What a test has in its hands.
pub struct World {
    /// The source's store.
    pub source: MemoryStore,
    /// The destination's store.
    pub destination: MemoryStore,
    /// Faults of the source.
    pub from: Faulty,
    /// Faults of the destination.
    pub to: Faulty,
    /// Both, as the handlers see them: locations `global` and `china`.
    pub stores: MemoryStores,
    /// The request.
    pub request: TransferRequest,
    /// The source's bytes at the beginning.
    pub bytes: Vec<u8>,
}

impl World {
    /// Parts of 4 to 64 bytes, 8 by default, so that 60 bytes are 8 parts; frames of 3 bytes; pages of 3 parts.
    #[must_use]
    pub fn config() -> MemoryConfig {
        let limits = Limits {
            max_object: 4_096,
            min_part: 4,
            max_part: 64,
            max_parts: 64,
            default_part: 8,
            equal_parts: false,
        };
        MemoryConfig { limits, page: 3, frame: 3, ..MemoryConfig::default() }
    }

    /// An object of `size` bytes to copy; everything above 16 bytes goes in parts.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self::with(size, Self::config(), |_| {})
    }

    /// The same with another destination or other options.
    ///
    /// # Panics
    /// If the names above are none.
    #[must_use]
    #[allow(clippy::expect_used)] // A mistake in the test itself.
    pub fn with(size: usize, destination: MemoryConfig, change: impl FnOnce(&mut Options)) -> Self {
        let bytes: Vec<u8> = (0..size).map(|i| u8::try_from(i * 7 % 251).unwrap_or(0)).collect();
        let source = MemoryStore::new(Self::config()).with_bucket(FROM.0);
        let mut attributes = Attributes { content_type: Some("text/x".to_owned()), ..Attributes::default() };
        attributes.metadata.insert("colour".to_owned(), "red".to_owned());
        attributes.tags.insert("team".to_owned(), "maps".to_owned());
        source.write_with(FROM.0, FROM.1, bytes.clone(), attributes);
        let destination = MemoryStore::new(destination).with_bucket(TO.0);
        let (from, to) = (Faulty::new(source.clone()), Faulty::new(destination.clone()));
        let stores = MemoryStores::default().with("global", from.clone()).with("china", to.clone());
        let json = format!(
            r#"{{"source": {{"location": "global", "bucket": "{}", "key": "{}"}},
                 "destination": {{"location": "china", "bucket": "{}", "key": "{}"}},
                 "options": {{"partSize": 8, "wholeObjectLimit": 16, "maxConcurrency": 3}}}}"#,
            FROM.0, FROM.1, TO.0, TO.1
        );
        let mut request: TransferRequest = transload_wire::parse(json.as_bytes()).expect("a request");
        change(&mut request.options);
        Self { source, destination, from, to, stores, request, bytes }
    }

    /// Overwrites the source with other bytes of the same length.
    pub fn overwrite_source(&self) {
        self.source.write(FROM.0, FROM.1, self.bytes.iter().map(|byte| byte ^ 0x55).collect::<Vec<_>>());
    }

    /// Deletes the source.
    pub fn delete_source(&self) {
        self.source.delete(FROM.0, FROM.1);
    }

    /// Inverts a bit of the stored source.
    pub fn rot_source(&self, at: usize) {
        self.source.flip(FROM.0, FROM.1, at);
    }

    /// Takes the source's checksum away.
    pub fn forget_checksum(&self) {
        self.source.forget_checksum(FROM.0, FROM.1);
    }

    /// What stands at the destination.
    #[must_use]
    pub fn copied(&self) -> Option<Vec<u8>> {
        self.destination.read(TO.0, TO.1).map(|bytes| bytes.to_vec())
    }

    /// Another writer puts something there.
    pub fn intrude(&self) {
        self.destination.write(TO.0, TO.1, "another writer's");
    }

    /// Whether another writer's object stands there.
    #[must_use]
    pub fn is_intruded(&self) -> bool {
        self.copied().as_deref() == Some(b"another writer's")
    }

    /// Open uploads that hold parts, and those that hold none.
    #[must_use]
    pub fn open_uploads(&self) -> (usize, usize) {
        let open = self.destination.open_uploads(TO.0);
        let holding = open.iter().filter(|(_, _, parts)| !parts.is_empty()).count();
        (holding, open.len() - holding)
    }

    /// The one open upload, if there is one.
    #[must_use]
    pub fn upload(&self) -> Option<transload_wire::UploadId> {
        self.destination.open_uploads(TO.0).into_iter().next().map(|(_, id, _)| id)
    }

    /// Checks that the destination is the source in everything, and that nothing is left open.
    ///
    /// # Panics
    /// If it is not.
    pub fn assert_copied(&self, outcome: &Result<crate::Outcome, Failure>) {
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(self.copied().as_deref(), Some(&self.bytes[..]));
        let Some(facts) = self.destination.facts(TO.0, TO.1) else { return };
        assert_eq!(facts.attributes.content_type.as_deref(), Some("text/x"));
        assert_eq!(facts.attributes.tags.get("team").map(String::as_str), Some("maps"));
        let names: Vec<_> = facts.attributes.metadata.keys().map(String::as_str).collect();
        assert_eq!(names, ["colour", ORDER_METADATA, SOURCE_METADATA, TOKEN_METADATA]);
        assert_eq!(self.open_uploads().0, 0, "no upload with parts is left open");
    }
}
