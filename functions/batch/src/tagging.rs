//! Whether an answer that counts no tags says that there are none.
//!
//! S3 counts an object's tags in the answer of a GET, but says nothing where there are none, and nothing either where the
//! right to read tags is missing; other stores never count them. One request of each batch finds out which it is: so tags
//! are neither lost silently nor asked for object by object.

use tokio::sync::OnceCell;
use transload_store::{Head, ObjectRef, Store, look};
use transload_wire::{Failure, Options};

/// What silence means, once it is known.
#[derive(Default)]
pub(crate) struct Tagging(OnceCell<bool>);

impl Tagging {
    /// Puts a count of zero into the head where silence means that.
    ///
    /// # Errors
    /// Those of reading tags: `SourceAccessDenied` with what to do about it.
    pub(crate) async fn settle(
        &self,
        store: &dyn Store,
        object: &ObjectRef,
        options: &Options,
        head: &mut Head,
    ) -> Result<(), Failure> {
        if head.tag_count.is_some() || options.tags.is_some() || !options.copy_tags {
            return Ok(());
        }
        let probe = async || look::attributes::tags(store, object).await.map(|tags| tags.is_empty());
        if *self.0.get_or_try_init(probe).await? {
            head.tag_count = Some(0);
        }
        Ok(())
    }
}
