//! Opens the files that a worker's environment names.

use std::sync::{Arc, OnceLock};

use transload_wire::{BucketName, ErrorName, Failure};

use super::{DirectoryFiles, S3Files, WorkFiles};
use crate::s3::{Capabilities, CredentialsSource, Patience, S3Settings, S3Store};

/// Environment variable with the bucket of the workflow's own.
pub const WORK_BUCKET_VARIABLE: &str = "TRANSLOAD_WORK_BUCKET";
/// Environment variable with a folder that holds the bucket, on one machine.
pub const WORK_DIRECTORY_VARIABLE: &str = "TRANSLOAD_WORK_DIRECTORY";

/// The files of the workflow, opened by the first invocation and kept.
#[derive(Default)]
pub struct OpenWork(OnceLock<Arc<dyn WorkFiles>>);

impl OpenWork {
    /// Opens them as the environment says.
    ///
    /// # Errors
    /// `InputInvalid` if it says nothing, or nothing that can be.
    pub fn open(&self) -> Result<Arc<dyn WorkFiles>, Failure> {
        if let Some(files) = self.0.get() {
            return Ok(Arc::clone(files));
        }
        let files = of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        Ok(Arc::clone(self.0.get_or_init(|| files)))
    }
}

fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Arc<dyn WorkFiles>, Failure> {
    let refuse = |expected: &str, found: &str| {
        ErrorName::InputInvalid
            .because(format!("{WORK_BUCKET_VARIABLE}: expected {expected} in the environment, found {found}"))
    };
    let bucket = variable(WORK_BUCKET_VARIABLE).ok_or_else(|| refuse("the workflow's own bucket", "none"))?;
    if let Some(folder) = variable(WORK_DIRECTORY_VARIABLE) {
        return Ok(Arc::new(DirectoryFiles::new(folder, &bucket)));
    }
    let bucket: BucketName =
        bucket.parse().map_err(|error: transload_wire::NameError| refuse(error.expected, &error.found))?;
    Ok(Arc::new(files(bucket, None, variable)))
}

impl S3Files {
    /// Files in a bucket, with the credentials and the endpoint that the AWS tools would use.
    ///
    /// # Errors
    /// `InputInvalid` if this is no bucket's name.
    pub fn of_process(bucket: &str, region: Option<&str>) -> Result<Self, Failure> {
        let bucket = bucket.parse::<BucketName>();
        let bucket =
            bucket.map_err(|error| ErrorName::InputInvalid.because(format!("work.bucket: {error}")))?;
        Ok(files(bucket, region.map(str::to_owned), |name| std::env::var(name).ok()))
    }
}

fn files(bucket: BucketName, region: Option<String>, variable: impl Fn(&str) -> Option<String>) -> S3Files {
    // An endpoint of the environment is a store on this machine, where no bucket has a host of its own.
    let elsewhere = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().any(|name| variable(name).is_some());
    let settings = S3Settings {
        name: "the workflow's own".to_owned(),
        partition: None,
        region,
        endpoint: None,
        path_style: elsewhere,
        expected_bucket_owner: None,
        credentials: CredentialsSource::Default,
        capabilities: Capabilities::default(),
        patience: Patience::default(),
        user_agent: Some("transload".to_owned()),
    };
    S3Files::new(Arc::new(S3Store::new(settings)), bucket)
}

#[cfg(test)]
mod tests {
    use super::{WORK_BUCKET_VARIABLE, WORK_DIRECTORY_VARIABLE, of};

    #[test]
    fn the_environment_names_a_bucket_or_a_folder_with_it() {
        let open = |pairs: &[(&str, &str)]| {
            let found =
                of(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()));
            found.map(|files| files.bucket().to_owned()).map_err(|failure| failure.message)
        };
        assert_eq!(open(&[(WORK_BUCKET_VARIABLE, "lists")]).unwrap(), "lists");
        let folder = [(WORK_BUCKET_VARIABLE, "Own"), (WORK_DIRECTORY_VARIABLE, "/nowhere")];
        assert_eq!(open(&folder).unwrap(), "Own");
        assert!(
            open(&[]).unwrap_err().starts_with("TRANSLOAD_WORK_BUCKET: expected the workflow's own bucket")
        );
        assert!(open(&[(WORK_BUCKET_VARIABLE, "Own")]).unwrap_err().contains("expected a bucket name"));
    }
}
