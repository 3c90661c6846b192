//! Which way an object goes, and the requests that it will take: so that a plan can tell them, and the run that follows keeps to
//! them.

use transload_plan::cost::{ClassWork, Manner, SizeClass};
use transload_plan::{BatchBounds, Layout, Limits, Route, layout, route};
use transload_store::Store;
use transload_wire::{Etag, Found, Options, Overwrite, SyncOptions, Verify};

/// What decides.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    limits: Limits,
    options: Options,
    manner: Manner,
    /// Largest object that goes into a batch, in bytes.
    small: u64,
}

impl Ways {
    pub(crate) fn new(options: &Options, sync: &SyncOptions, destination: &dyn Store) -> Self {
        let limits = destination.limits().clone();
        let manner = Manner {
            tags: options.copy_tags && options.tags.is_none(),
            twice: options.verify == Verify::ReadBack,
            conditional: destination.conditional_writes(),
            proves: !destination.checksums().is_empty() || destination.etags_are_md5(),
            adopts: options.overwrite == Overwrite::IfDifferent,
            as_the_source: options.preserve_etag,
        };
        let small = sync.batch_object_limit.min(limits.max_part);
        Self { limits, options: options.clone().of_many(), manner, small }
    }

    /// Whether an object goes into a batch. One that was sent in parts keeps its ETag only if it is cut as it was: one request
    /// can not do that.
    pub(crate) fn is_small(&self, size: u64, etag: &Etag) -> bool {
        size <= self.small && !self.wants_parts(etag)
    }

    fn wants_parts(&self, etag: &Etag) -> bool {
        self.options.preserve_etag && etag.parts().is_some()
    }

    /// Counts an object of a batch.
    pub(crate) fn batched(&self, found: &mut Found, size: u64) {
        class(found, size).batched(size, &self.manner);
    }

    /// Counts what a batch asks as a whole: what a missing count of tags means.
    pub(crate) fn batch(&self, found: &mut Found) {
        found.beside.at_source("GetObjectTagging", u64::from(self.manner.tags));
    }

    /// Counts a deletion: whether the source still has none, and the deed.
    pub(crate) fn deleted(&self, found: &mut Found) {
        found.beside.at_source("ListObjectsV2", 1);
        found.beside.at_destination("HeadObject", u64::from(!self.manner.conditional));
        found.beside.at_destination("DeleteObject", 1);
    }

    /// Counts an object with an execution of its own. One that can not be cut fails there before it takes anything.
    /// `newest`: no version of it is asked for.
    pub(crate) fn alone(&self, found: &mut Found, (size, etag): (u64, &Etag), newest: bool, replaces: bool) {
        let work = class(found, size);
        if newest && self.options.looks_again(replaces, self.manner.conditional) {
            work.looked_at_again();
        }
        match self.layout(size, etag) {
            None => work.whole(size, &self.manner),
            Some(layout) => {
                let limit = self.options.single_worker_limit.unwrap_or_default();
                if BatchBounds::of_one_worker(limit, layout.size(), layout.count()).is_some() {
                    return work.by_one_worker(&layout, &self.manner);
                }
                let parallel = self.options.max_concurrency;
                let bounds = BatchBounds { parallel, ..BatchBounds::default() };
                // A layout's own parts are of that layout.
                let _ = work.in_parts(&layout, &bounds, &self.manner);
            }
        }
    }

    /// The parts; `None` if it is sent whole. A source's own parts are taken for equal ones, for the list does not tell.
    fn layout(&self, size: u64, etag: &Etag) -> Option<Layout> {
        if self.options.preserve_etag && size > 0 {
            let parts = etag.parts()?;
            let wish = size.div_ceil(u64::from(parts).max(1));
            return layout(size, Some(wish), &self.limits).or_else(|_| layout(size, None, &self.limits)).ok();
        }
        match route(size, self.options.whole_object_limit, &self.limits) {
            Route::Whole => None,
            Route::Parts => layout(size, self.options.part_size, &self.limits).ok(),
        }
    }
}

fn class(found: &mut Found, size: u64) -> &mut ClassWork {
    found.classes.entry(SizeClass::of(size)).or_default()
}
