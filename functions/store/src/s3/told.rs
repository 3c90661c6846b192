//! The CRC-64/XZ that Aliyun OSS and Tencent COS tell of what they took, or of what they have, in headers of their own: of a
//! part, and of a whole object however it was sent. They tell it in answers only; nothing of it is ever sent to them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind};

use super::S3Store;
use crate::digest::{TOLD_CRC64, of_decimal};
use crate::{StoreError, StoreErrorKind as Kind, Verb};

/// What the last answer to a call told. The SDK hands on no headers that it does not know.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Mutex<Option<Checksum>>>);

impl Told {
    /// What was told; `None` where the store is not one that tells it.
    pub(super) fn get(&self, store: &S3Store) -> Option<Checksum> {
        tells(store).then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).flatten()
    }

    /// What was told of bytes that nothing else proves.
    ///
    /// # Errors
    /// `Unsupported` if this store tells it, and did not.
    pub(super) fn demand(
        &self,
        store: &S3Store,
        verb: Verb,
        place: &str,
        asked: Option<ChecksumAlgorithm>,
    ) -> Result<Option<Checksum>, StoreError> {
        match self.get(store) {
            None if asked == Some(ChecksumAlgorithm::Crc64Xz) => Err(StoreError::new(
                Kind::Unsupported,
                format!(
                    "{verb} {place}: expected {} in the answer (CRC64XZ stands in the location's checksums), found none",
                    TOLD_CRC64.join(" or ")
                ),
            )),
            told => Ok(told),
        }
    }
}

fn tells(store: &S3Store) -> bool {
    store.settings.capabilities.checksums.contains(&ChecksumAlgorithm::Crc64Xz)
}

#[dyn_dispatch_hint]
impl Intercept for Told {
    fn name(&self) -> &'static str {
        "Told"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let value = TOLD_CRC64.iter().find_map(|name| of_decimal(headers.get(*name)?));
        let told = value.map(|value| Checksum {
            algorithm: ChecksumAlgorithm::Crc64Xz,
            value,
            kind: ChecksumKind::FullObject,
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
        Ok(())
    }
}
