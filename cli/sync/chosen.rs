//! What a run is to see to instead of what a listing finds, as the user names it.

use transload_store::work::WorkFiles;
use transload_wire::Manifest;

use super::inventory::Inventory;
use super::manifest::Chosen as Lines;
use crate::exit::Outcome;

/// Objects that were chosen.
pub(crate) enum Chosen {
    /// By a manifest of the user's own.
    Lines(Lines),
    /// By an inventory of the source's bucket.
    Inventory(Box<Inventory>),
}

impl Chosen {
    /// Where the workflow will find them.
    pub(crate) fn manifest(&self) -> &Manifest {
        match self {
            Self::Lines(lines) => &lines.manifest,
            Self::Inventory(inventory) => &inventory.manifest,
        }
    }

    /// Puts them where the workflow reads them.
    ///
    /// # Errors
    /// If disk or bucket fail, and for an inventory that is damaged or has bad rows.
    pub(crate) async fn upload(self, files: &dyn WorkFiles) -> Outcome {
        match self {
            Self::Lines(lines) => lines.upload(files).await,
            Self::Inventory(inventory) => inventory.upload(files).await,
        }
    }
}
