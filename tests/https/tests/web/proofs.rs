//! Checksums that servers tell, and one that the request knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use md5::{Digest, Md5};
use odd_https::Site;
use sha2::Sha256;
use transload_wire::{ErrorName, Proof};

use crate::kit::{Kit, bytes};

fn crc32(algorithm: CrcAlgorithm, bytes: &[u8]) -> String {
    STANDARD.encode(&checksum(algorithm, bytes).to_be_bytes()[4..])
}

fn crc64(algorithm: CrcAlgorithm, bytes: &[u8]) -> String {
    STANDARD.encode(checksum(algorithm, bytes).to_be_bytes())
}

/// Each header over these bytes.
fn headers(of: &[u8]) -> Vec<(&'static str, String)> {
    let (md5, sha) = (STANDARD.encode(Md5::digest(of)), STANDARD.encode(Sha256::digest(of)));
    vec![
        ("x-oss-hash-crc64ecma", checksum(CrcAlgorithm::Crc64Xz, of).to_string()),
        ("x-goog-hash", format!("crc32c={}", crc32(CrcAlgorithm::Crc32Iscsi, of))),
        ("x-goog-hash", format!("md5={md5}")),
        ("x-amz-checksum-crc64nvme", crc64(CrcAlgorithm::Crc64Nvme, of)),
        ("x-amz-checksum-crc32", crc32(CrcAlgorithm::Crc32IsoHdlc, of)),
        ("x-amz-checksum-sha256", sha.clone()),
        ("content-md5", md5.clone()),
        ("digest", format!("SHA-256={sha}")),
        ("repr-digest", format!("md5=:{md5}:")),
    ]
}

fn site(len: usize, (name, value): (&str, String)) -> Site {
    let mut site = Site::new(bytes(len));
    site.headers.push((name.to_owned(), value));
    site
}

#[tokio::test]
async fn each_checksum_proves_an_object_that_is_sent_whole() {
    for header in headers(&bytes(16)) {
        let kit = Kit::of(site(16, header.clone())).await;
        assert_eq!(kit.copies(&bytes(16)).await, Proof::SourceChecksum, "{header:?}");
    }
}

#[tokio::test]
async fn f06_each_checksum_tells_other_bytes() {
    let mut other = bytes(16);
    other[7] ^= 1;
    for header in headers(&other) {
        let kit = Kit::of(site(16, header.clone())).await;
        let (name, message) = kit.fails().await;
        assert_eq!(name, ErrorName::ChecksumMismatch, "{header:?}: {message}");
    }
}

/// CRCs that the destination computes too are combined from the parts; of the others nothing is claimed.
#[tokio::test]
async fn what_can_be_combined_proves_an_object_in_parts() {
    for header in headers(&bytes(60)) {
        let combines = header.1.starts_with("crc32c=")
            || matches!(header.0, "x-amz-checksum-crc64nvme" | "x-amz-checksum-crc32");
        let kit = Kit::of(site(60, header.clone())).await;
        let expected = if combines { Proof::SourceChecksum } else { Proof::TransitChecksum };
        assert_eq!(kit.copies(&bytes(60)).await, expected, "{header:?}");
    }
}

#[tokio::test]
async fn f06_what_can_be_combined_tells_other_bytes_before_the_object_appears() {
    let mut other = bytes(60);
    other[31] ^= 4;
    for header in headers(&other)
        .into_iter()
        .filter(|(name, value)| value.starts_with("crc32c=") || name.contains("nvme"))
    {
        let kit = Kit::of(site(60, header.clone())).await;
        assert_eq!(kit.fails().await.0, ErrorName::ChecksumMismatch, "{header:?}");
    }
}

#[tokio::test]
async fn a_known_checksum_proves_and_refuses() {
    for len in [16, 60] {
        let good = crc64(CrcAlgorithm::Crc64Nvme, &bytes(len));
        let mut kit = Kit::of(Site::new(bytes(len))).await;
        kit.expect("CRC64NVME", &good);
        assert_eq!(kit.copies(&bytes(len)).await, Proof::SourceChecksum);
        let mut kit = Kit::of(Site::new(bytes(len))).await;
        kit.expect("CRC64NVME", &crc64(CrcAlgorithm::Crc64Nvme, b"other"));
        assert_eq!(kit.fails().await.0, ErrorName::ChecksumMismatch);
    }
}

#[tokio::test]
async fn a_known_checksum_that_the_server_contradicts_is_told_before_a_byte_is_read() {
    let header = ("x-oss-hash-crc64ecma", checksum(CrcAlgorithm::Crc64Xz, &bytes(60)).to_string());
    let mut kit = Kit::of(site(60, header)).await;
    kit.expect("CRC64XZ", &crc64(CrcAlgorithm::Crc64Xz, b"other"));
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::SourceChanged && message.contains("as the server says"), "{name}: {message}");
    assert_eq!(kit.asked(), ["HEAD"]);
}

#[tokio::test]
async fn a_known_checksum_that_is_none_is_refused_by_its_field() {
    let mut kit = Kit::of(Site::new(bytes(60))).await;
    kit.expect("MD5", "abc");
    let (name, message) = kit.fails().await;
    assert_eq!(name, ErrorName::InputInvalid);
    assert!(message.starts_with("source: checksum.value: expected a MD5 in base64"), "{message}");
    assert!(kit.asked().is_empty());
}

#[tokio::test]
async fn what_tells_nothing_is_read_twice_where_that_is_asked_for() {
    let mut kit = Kit::of(Site::new(bytes(60))).await;
    kit.world.request.options.verify = transload_wire::Verify::ReadBack;
    assert_eq!(kit.copies(&bytes(60)).await, Proof::ReadTwice);
    assert_eq!(kit.asked().len(), 17, "one HEAD, and two GETs for each of 8 parts");
}
