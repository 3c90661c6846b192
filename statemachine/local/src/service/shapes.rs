//! What the integrated services answer, as far as a mocked result is checked against it.

/// The shape of a value.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    OneOf(&'static [&'static str]),
    Flag,
    Number,
    Between(f64, f64),
    List(&'static Shape),
    Map(&'static Shape),
    Structure(&'static [Member]),
    Any,
}

/// A member of a structure.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: Shape,
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

const fn must(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

use Shape::{Any, Between, Flag, List, Map, Number, OneOf, Structure, Text};

const STORAGE: Shape = OneOf(&[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
]);
const ENCRYPTION: Shape = OneOf(&["AES256", "aws:fsx", "aws:kms", "aws:kms:dsse"]);
const CHECKSUM: Shape = OneOf(&["COMPOSITE", "FULL_OBJECT"]);
const PAYER: Shape = OneOf(&["requester"]);
const REPLICATION: Shape = OneOf(&["COMPLETE", "PENDING", "FAILED", "REPLICA", "COMPLETED"]);
const LOCK: Shape = OneOf(&["GOVERNANCE", "COMPLIANCE"]);
const SWITCH: Shape = OneOf(&["ON", "OFF"]);
const INCLUDED: Shape = Structure(&[may("Included", Flag)]);
const MAP_OF_TEXT: Shape = Map(&Text);
const TEXTS: Shape = List(&Text);
const FAULT: Shape = Structure(&[may("ErrorCode", Text), may("Message", Text)]);

const INVOKE: Shape = Structure(&[
    may("StatusCode", Number),
    may("FunctionError", Text),
    may("LogResult", Text),
    may("Payload", Any),
    may("ExecutedVersion", Text),
]);
const LAYER: Shape = Structure(&[
    may("Arn", Text),
    may("CodeSize", Number),
    may("SigningProfileVersionArn", Text),
    may("SigningJobArn", Text),
]);
const STATUS: &[&str] = &["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

/// `MemorySize` within the limits that the service was recorded to apply.
const FUNCTION: Shape = Structure(&[
    may("FunctionName", Text),
    may("FunctionArn", Text),
    may("Runtime", Text),
    may("Role", Text),
    may("Handler", Text),
    may("CodeSize", Number),
    may("Description", Text),
    may("Timeout", Between(1.0, f64::MAX)),
    may("MemorySize", Between(128.0, 10_240.0)),
    may("LastModified", Text),
    may("CodeSha256", Text),
    may("Version", Text),
    may(
        "VpcConfig",
        Structure(&[may("SubnetIds", TEXTS), may("SecurityGroupIds", TEXTS), may("VpcId", Text)]),
    ),
    may("DeadLetterConfig", Structure(&[may("TargetArn", Text)])),
    may("Environment", Structure(&[may("Variables", MAP_OF_TEXT), may("Error", FAULT)])),
    may("KMSKeyArn", Text),
    may("TracingConfig", Structure(&[may("Mode", OneOf(&["Active", "PassThrough"]))])),
    may("MasterArn", Text),
    may("RevisionId", Text),
    may("Layers", List(&LAYER)),
    may(
        "State",
        OneOf(&[
            "Pending",
            "Active",
            "Inactive",
            "Failed",
            "Deactivating",
            "Deactivated",
            "ActiveNonInvocable",
            "Deleting",
        ]),
    ),
    may("StateReason", Text),
    may("StateReasonCode", Text),
    may("LastUpdateStatus", OneOf(&["Successful", "Failed", "InProgress"])),
    may("LastUpdateStatusReason", Text),
    may("PackageType", OneOf(&["Zip", "Image"])),
    may("Architectures", List(&OneOf(&["x86_64", "arm64"]))),
    may("EphemeralStorage", Structure(&[must("Size", Between(512.0, 10_240.0))])),
]);
const GET_FUNCTION: Shape = Structure(&[
    may("Configuration", FUNCTION),
    may(
        "Code",
        Structure(&[
            may("RepositoryType", Text),
            may("Location", Text),
            may("ImageUri", Text),
            may("ResolvedImageUri", Text),
        ]),
    ),
    may("Tags", MAP_OF_TEXT),
    may("Concurrency", Structure(&[may("ReservedConcurrentExecutions", Between(0.0, f64::MAX))])),
]);
const START_EXECUTION: Shape = Structure(&[must("ExecutionArn", Text), must("StartDate", Text)]);
const EXECUTION: Shape = Structure(&[
    must("ExecutionArn", Text),
    must("StateMachineArn", Text),
    may("Name", Text),
    must("Status", OneOf(STATUS)),
    must("StartDate", Text),
    may("StopDate", Text),
    may("Input", Any),
    may("InputDetails", INCLUDED),
    may("Output", Any),
    may("OutputDetails", INCLUDED),
    may("TraceHeader", Text),
    may("MapRunArn", Text),
    may("Error", Text),
    may("Cause", Text),
    may("StateMachineVersionArn", Text),
    may("StateMachineAliasArn", Text),
    may("RedriveCount", Number),
    may("RedriveDate", Text),
    may("RedriveStatusReason", Text),
    may("RedriveStatus", OneOf(&["REDRIVABLE", "NOT_REDRIVABLE", "REDRIVABLE_BY_MAP_RUN"])),
]);
const START_SYNC: Shape = Structure(&[
    must("ExecutionArn", Text),
    may("StateMachineArn", Text),
    may("Name", Text),
    must("StartDate", Text),
    must("StopDate", Text),
    must("Status", OneOf(&["SUCCEEDED", "FAILED", "TIMED_OUT"])),
    may("Error", Text),
    may("Cause", Text),
    may("Input", Text),
    may("InputDetails", INCLUDED),
    may("Output", Text),
    may("OutputDetails", INCLUDED),
    may("TraceHeader", Text),
    may(
        "BillingDetails",
        Structure(&[
            may("BilledMemoryUsedInMB", Between(0.0, f64::MAX)),
            may("BilledDurationInMilliseconds", Between(0.0, f64::MAX)),
        ]),
    ),
]);
const OBJECT: Shape = Structure(&[
    may("Body", Text),
    may("DeleteMarker", Flag),
    may("AcceptRanges", Text),
    may("Expiration", Text),
    may("Restore", Text),
    may("LastModified", Text),
    may("ContentLength", Number),
    may("ETag", Text),
    may("ChecksumCRC32", Text),
    may("ChecksumCRC32C", Text),
    may("ChecksumCRC64NVME", Text),
    may("ChecksumSHA1", Text),
    may("ChecksumSHA256", Text),
    may("ChecksumType", CHECKSUM),
    may("MissingMeta", Number),
    may("VersionId", Text),
    may("CacheControl", Text),
    may("ContentDisposition", Text),
    may("ContentEncoding", Text),
    may("ContentLanguage", Text),
    may("ContentRange", Text),
    may("ContentType", Text),
    may("Expires", Text),
    may("WebsiteRedirectLocation", Text),
    may("ServerSideEncryption", ENCRYPTION),
    may("Metadata", MAP_OF_TEXT),
    may("SSECustomerAlgorithm", Text),
    may("SSECustomerKeyMD5", Text),
    may("SSEKMSKeyId", Text),
    may("BucketKeyEnabled", Flag),
    may("StorageClass", STORAGE),
    may("RequestCharged", PAYER),
    may("ReplicationStatus", REPLICATION),
    may("PartsCount", Number),
    may("TagCount", Number),
    may("ObjectLockMode", LOCK),
    may("ObjectLockRetainUntilDate", Text),
    may("ObjectLockLegalHoldStatus", SWITCH),
    may("ArchiveStatus", OneOf(&["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"])),
]);
const PUT_OBJECT: Shape = Structure(&[
    may("Expiration", Text),
    may("ETag", Text),
    may("ChecksumCRC32", Text),
    may("ChecksumCRC32C", Text),
    may("ChecksumCRC64NVME", Text),
    may("ChecksumSHA1", Text),
    may("ChecksumSHA256", Text),
    may("ChecksumType", CHECKSUM),
    may("ServerSideEncryption", ENCRYPTION),
    may("VersionId", Text),
    may("SSECustomerAlgorithm", Text),
    may("SSECustomerKeyMD5", Text),
    may("SSEKMSKeyId", Text),
    may("SSEKMSEncryptionContext", Text),
    may("BucketKeyEnabled", Flag),
    may("Size", Number),
    may("RequestCharged", PAYER),
]);
const OWNER: Shape = Structure(&[may("DisplayName", Text), may("ID", Text)]);
const LISTED: Shape = Structure(&[
    may("Key", Text),
    may("LastModified", Text),
    may("ETag", Text),
    may("ChecksumAlgorithm", TEXTS),
    may("ChecksumType", CHECKSUM),
    may("Size", Number),
    may("StorageClass", STORAGE),
    may("Owner", OWNER),
    may("RestoreStatus", Structure(&[may("IsRestoreInProgress", Flag), may("RestoreExpiryDate", Text)])),
]);
const LIST: Shape = Structure(&[
    may("IsTruncated", Flag),
    may("Contents", List(&LISTED)),
    may("Name", Text),
    may("Prefix", Text),
    may("Delimiter", Text),
    may("MaxKeys", Number),
    may("CommonPrefixes", List(&Structure(&[may("Prefix", Text)]))),
    may("EncodingType", OneOf(&["url"])),
    may("KeyCount", Number),
    may("ContinuationToken", Text),
    may("NextContinuationToken", Text),
    may("StartAfter", Text),
    may("Marker", Text),
    may("NextMarker", Text),
    may("RequestCharged", PAYER),
]);
const BUCKETS: Shape = Structure(&[
    may(
        "Buckets",
        List(&Structure(&[
            may("Name", Text),
            may("CreationDate", Text),
            may("BucketRegion", Text),
            may("BucketArn", Text),
        ])),
    ),
    may("Owner", OWNER),
    may("ContinuationToken", Text),
    may("Prefix", Text),
]);

/// The answer of an integration, by what follows `arn:aws:states:::` in a Resource; `None` if it is not known here.
pub(super) fn of_integration(name: &str) -> Option<&'static Shape> {
    Some(match name {
        "lambda:invoke" | "aws-sdk:lambda:invoke" => &INVOKE,
        "aws-sdk:lambda:getFunction" => &GET_FUNCTION,
        "aws-sdk:lambda:getFunctionConfiguration" => &FUNCTION,
        "states:startExecution" | "aws-sdk:sfn:startExecution" => &START_EXECUTION,
        "states:startExecution.sync" | "states:startExecution.sync:2" | "aws-sdk:sfn:describeExecution" => {
            &EXECUTION
        }
        "aws-sdk:sfn:startSyncExecution" => &START_SYNC,
        "aws-sdk:s3:getObject" | "aws-sdk:s3:headObject" => &OBJECT,
        "aws-sdk:s3:putObject" => &PUT_OBJECT,
        "aws-sdk:s3:listObjects" | "aws-sdk:s3:listObjectsV2" => &LIST,
        "aws-sdk:s3:listBuckets" => &BUCKETS,
        _ => return None,
    })
}
