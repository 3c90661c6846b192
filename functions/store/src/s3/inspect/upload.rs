//! An upload that is made and given up at once: it needs the rights of a real one, makes no object and no event, and nothing of
//! it stays.

use bytes::Bytes;

use super::seen::Seen;
use super::{Inspector, Refusal, look, refusal};
use crate::StoreErrorKind as Kind;

/// A part of few bytes: the last one may be small, and there is no other.
const PART: &[u8] = b"transload doctor";

/// The steps of an upload that were tried, each with its answer. A step that could not be tried has none.
#[derive(Debug, Clone, Default)]
pub struct UploadProbe {
    /// CreateMultipartUpload with a tag; none where tags were not asked for.
    pub tagged: Option<Result<(), Refusal>>,
    /// CreateMultipartUpload.
    pub create: Option<Result<(), Refusal>>,
    /// UploadPart.
    pub part: Option<Result<(), Refusal>>,
    /// ListParts.
    pub list: Option<Result<(), Refusal>>,
    /// ListMultipartUploads.
    pub find: Option<Result<(), Refusal>>,
    /// AbortMultipartUpload.
    pub abort: Option<Result<(), Refusal>>,
    /// Id of the upload that could not be aborted.
    pub left: Option<String>,
}

impl Inspector<'_> {
    /// Makes an upload, sends a part of few bytes, lists it, looks for the upload, and gives it up.
    pub async fn probe_upload(&self, bucket: &str, key: &str, tagged: bool) -> UploadProbe {
        let mut probe = UploadProbe::default();
        let mut upload = None;
        if tagged {
            let made = self.create(bucket, key, Some("transload=doctor")).await;
            probe.tagged = Some(made.as_ref().map(|_| ()).map_err(Clone::clone));
            upload = made.ok();
        }
        // Without the tag it shows whether the tag was what is not allowed.
        if upload.is_none() {
            let made = self.create(bucket, key, None).await;
            probe.create = Some(made.as_ref().map(|_| ()).map_err(Clone::clone));
            upload = made.ok();
        } else {
            probe.create = Some(Ok(()));
        }
        let Some(upload) = upload else { return probe };
        probe.part = Some(self.part(bucket, key, &upload).await);
        probe.list = Some(self.parts(bucket, key, &upload).await);
        probe.find = Some(self.uploads(bucket, key).await);
        let aborted = self.give_up(bucket, key, &upload).await;
        probe.left = aborted.is_err().then_some(upload);
        probe.abort = Some(aborted);
        probe
    }

    async fn create(&self, bucket: &str, key: &str, tags: Option<&str>) -> Result<String, Refusal> {
        let request = self.client().await.create_multipart_upload().bucket(bucket).key(key);
        let request = request.set_tagging(tags.map(ToOwned::to_owned));
        let made = look!(request.set_expected_bucket_owner(self.owner())).answer?;
        made.upload_id.ok_or_else(|| Refusal {
            kind: Kind::Malformed,
            code: None,
            status: Some(200),
            message: "an answer without an upload id".to_owned(),
        })
    }

    async fn part(&self, bucket: &str, key: &str, upload: &str) -> Result<(), Refusal> {
        let request =
            self.client().await.upload_part().bucket(bucket).key(key).upload_id(upload).part_number(1);
        let request = request.body(Bytes::from_static(PART).into()).set_expected_bucket_owner(self.owner());
        look!(request).answer.map(drop)
    }

    async fn parts(&self, bucket: &str, key: &str, upload: &str) -> Result<(), Refusal> {
        let request = self.client().await.list_parts().bucket(bucket).key(key).upload_id(upload).max_parts(1);
        look!(request.set_expected_bucket_owner(self.owner())).answer.map(drop)
    }

    async fn uploads(&self, bucket: &str, prefix: &str) -> Result<(), Refusal> {
        let request =
            self.client().await.list_multipart_uploads().bucket(bucket).prefix(prefix).max_uploads(1);
        look!(request.set_expected_bucket_owner(self.owner())).answer.map(drop)
    }

    async fn give_up(&self, bucket: &str, key: &str, upload: &str) -> Result<(), Refusal> {
        let request = self.client().await.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload);
        look!(request.set_expected_bucket_owner(self.owner())).answer.map(drop)
    }
}
