//! What the parts at the destination prove about the whole.

use md5::{Digest, Md5};
use transload_store::prove::{Evidence, Expected};
use transload_store::{Combiner, PartRef, hex};
use transload_wire::{
    Checksum, ChecksumAlgorithm, ChecksumKind, ErrorName, Etag, Failure, PartRecord, Proof, Verify,
};

use crate::Work;

/// What the whole must be, from its parts.
#[derive(Debug)]
pub(crate) struct Whole {
    /// For Complete: the store refuses the whole if it computes another one.
    pub(crate) checksum: Option<Checksum>,
    /// What to read back.
    pub(crate) expected: Expected,
    /// How good the proof will be.
    pub(crate) proof: Proof,
}

/// Combines what the parts tell, and compares it with the source.
pub(crate) fn whole(work: &Work, parts: &[PartRef]) -> Result<Whole, Failure> {
    let checksum = combined(work, parts)?;
    let etag = work.store.etags_are_md5().then(|| md5_of_md5s(parts)).flatten();
    let proof = match &checksum {
        Some(checksum) => against_source(work, checksum)?,
        None if etag.is_some() => without_source(work),
        // Each part was compared when it was sent; of the whole the store tells once it is one.
        None if work.upload.checksum_algorithm == Some(ChecksumAlgorithm::Crc64Xz) => {
            let (expected, proof) = without_parts(work);
            return Ok(Whole { checksum, expected, proof });
        }
        None => return Err(unprovable(work)),
    };
    let evidence = [checksum.clone().map(Evidence::Checksum), etag.map(Evidence::Etag)];
    let expected = expected(work, evidence.into_iter().flatten().collect());
    Ok(Whole { checksum, expected, proof })
}

/// What to read back when the parts can not be listed any more.
pub(crate) fn without_parts(work: &Work) -> (Expected, Proof) {
    let own = work.input.source.checksum.clone().filter(|checksum| {
        checksum.kind == ChecksumKind::FullObject
            && Some(checksum.algorithm) == work.upload.checksum_algorithm
    });
    let accepted = Evidence::Accepted { parts: work.input.layout.count() };
    match (own, work.upload.checksum_algorithm) {
        (Some(own), _) => (expected(work, vec![Evidence::Checksum(own)]), Proof::SourceChecksum),
        (None, _) => (expected(work, vec![accepted]), without_source(work)),
    }
}

fn expected(work: &Work, evidence: Vec<Evidence>) -> Expected {
    Expected { token: work.input.token.clone(), size: work.input.layout.size(), evidence }
}

/// The checksum of the whole; `None` if the upload has none, or neither the store nor the worker tells those of the parts.
fn combined(work: &Work, parts: &[PartRef]) -> Result<Option<Checksum>, Failure> {
    let Some(algorithm) = work.upload.checksum_algorithm else { return Ok(None) };
    let Some(mut combiner) = Combiner::new(algorithm) else { return Ok(None) };
    for part in parts {
        let told = part.checksum.as_ref().or_else(|| sent(work, part));
        let Some(checksum) = told.filter(|told| told.algorithm == algorithm) else {
            return Ok(None);
        };
        combiner.push(&checksum.value, part.size).ok_or_else(|| {
            ErrorName::Unavailable.because(format!(
                "part {} of {}: expected a {} in base64, found {:?}",
                part.number,
                work.input.destination,
                algorithm.as_str(),
                checksum.value
            ))
        })?;
    }
    Ok(Some(combiner.finish()))
}

/// What the worker that sent this very part said of it: one that was sent again since has another ETag, if other bytes.
fn sent<'a>(work: &'a Work, part: &PartRef) -> Option<&'a Checksum> {
    let is_it = |sent: &&PartRecord| {
        (sent.part_number, sent.size, &sent.etag) == (part.number.get(), part.size, &part.etag)
    };
    work.input.sent.iter().flatten().find(is_it)?.checksum.as_ref()
}

/// Compared before the object appears, where the source tells the checksum of the same algorithm.
fn against_source(work: &Work, checksum: &Checksum) -> Result<Proof, Failure> {
    let source = &work.input.source;
    match &source.checksum {
        Some(own) if own.kind == ChecksumKind::FullObject && own.algorithm == checksum.algorithm => {
            if own.value == checksum.value {
                return Ok(Proof::SourceChecksum);
            }
            Err(ErrorName::ChecksumMismatch.because(format!(
                "{}: expected {} {} (of {}), found {} over its parts; it was not completed",
                work.input.destination,
                checksum.algorithm.as_str(),
                own.value,
                source.object,
                checksum.value
            )))
        }
        _ => Ok(without_source(work)),
    }
}

/// How good the proof is where the source tells no checksum that could be compared.
fn without_source(work: &Work) -> Proof {
    match work.upload.checksum_algorithm {
        _ if work.input.options.verify == Verify::ReadBack => Proof::ReadTwice,
        Some(_) => Proof::TransitChecksum,
        None => Proof::PartEtags,
    }
}

/// S3's ETag of an object in parts: MD5 over the MD5s of the parts, and their number.
fn md5_of_md5s(parts: &[PartRef]) -> Option<Etag> {
    let mut md5 = Md5::new();
    for part in parts {
        let hex = part.etag.as_str();
        if hex.len() != 32 || !hex.is_ascii() {
            return None;
        }
        for at in (0..32).step_by(2) {
            md5.update([u8::from_str_radix(&hex[at..at + 2], 16).ok()?]);
        }
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len()).parse().ok()
}

fn unprovable(work: &Work) -> Failure {
    ErrorName::Unsupported.because(format!(
        "{}: expected the parts' checksums (or MD5s as ETags) in the list of parts, to prove the whole with, found neither; \
         a store that tells no checksums of parts needs profile = \"generic\" and, if its ETags are MD5s, etag_md5 = true in its location",
        work.input.destination
    ))
}
