//! Multipart uploads: parts are remembered by size, ETag and CRC, and checked when the upload is completed.

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::Digest as _;

use super::http::Answer;
use super::state::{Object, Part, Upload};

/// Parts on a page of ListParts, as S3 has it.
const PAGE: usize = 1_000;

/// The object that an upload becomes, if the parts that Complete names are there and fit.
pub(crate) fn assemble(upload: &Upload, xml: &str, size: Option<&str>) -> Result<Object, Answer> {
    let invalid = |what: String| Answer::error(400, "InvalidPart", &what);
    let named = named_parts(xml).ok_or_else(|| Answer::error(400, "MalformedXML", "parts"))?;
    let mut whole =
        Object { headers: upload.headers.clone(), tagging: upload.tagging.clone(), ..Object::default() };
    let mut digests = Some(Vec::new());
    for (number, etag) in &named {
        let part =
            upload.parts.get(number).ok_or_else(|| invalid(format!("part {number} was not uploaded")))?;
        if part.etag != *etag {
            return Err(invalid(format!("part {number}: expected ETag {}, found {etag}", part.etag)));
        }
        add(&mut whole, &mut digests, part);
    }
    if size.is_some_and(|size| size != whole.size.to_string()) {
        return Err(Answer::error(400, "InvalidRequest", "x-amz-mp-object-size is not the sum of the parts"));
    }
    whole.etag = digests.map_or_else(
        || format!("{:016x}{:016x}-{}", whole.crc64nvme, whole.size, named.len()),
        |all| format!("{}-{}", hex(&md5::Md5::digest(&all)), named.len()),
    );
    Ok(whole)
}

fn add(whole: &mut Object, digests: &mut Option<Vec<u8>>, part: &Part) {
    whole.crc64nvme = checksum_combine(CrcAlgorithm::Crc64Nvme, whole.crc64nvme, part.crc64nvme, part.size);
    whole.size += part.size;
    match (digests.as_mut(), part.md5) {
        (Some(all), Some(md5)) => all.extend_from_slice(&md5),
        _ => *digests = None,
    }
}

/// Number and ETag of each part of a CompleteMultipartUpload request.
fn named_parts(xml: &str) -> Option<Vec<(u32, String)>> {
    xml.split("<Part>")
        .skip(1)
        .map(|part| {
            let etag = element(part, "ETag")?.replace("&quot;", "").replace("&#34;", "").replace('"', "");
            Some((element(part, "PartNumber")?.parse().ok()?, etag))
        })
        .collect()
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value.trim())
}

/// A page of ListParts behind `marker`.
pub(crate) fn list(upload: &Upload, id: &str, marker: u32, wanted: Option<usize>) -> Answer {
    let page = wanted.unwrap_or(PAGE).min(PAGE);
    let rest = upload.parts.range(marker.saturating_add(1)..);
    let shown: Vec<_> = rest.clone().take(page).collect();
    let truncated = rest.count() > shown.len();
    let next = shown.last().map_or(marker, |(number, _)| **number);
    let parts: String = shown.iter().map(|(number, part)| part_xml(**number, part)).collect();
    Answer::new(200).xml(format!(
        "<ListPartsResult><UploadId>{id}</UploadId><PartNumberMarker>{marker}</PartNumberMarker>\
         <NextPartNumberMarker>{next}</NextPartNumberMarker><MaxParts>{page}</MaxParts>\
         <IsTruncated>{truncated}</IsTruncated><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>\
         <ChecksumType>FULL_OBJECT</ChecksumType>{parts}</ListPartsResult>"
    ))
}

fn part_xml(number: u32, part: &Part) -> String {
    format!(
        "<Part><PartNumber>{number}</PartNumber><LastModified>2026-08-01T00:00:00.000Z</LastModified>\
         <ETag>&quot;{}&quot;</ETag><Size>{}</Size><ChecksumCRC64NVME>{}</ChecksumCRC64NVME></Part>",
        part.etag,
        part.size,
        crc_text(part.crc64nvme)
    )
}

/// A CRC64NVME as S3 writes it.
pub(crate) fn crc_text(crc: u64) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(crc.to_be_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(data: &[u8]) -> Part {
        let crc64nvme = crc_fast::checksum(CrcAlgorithm::Crc64Nvme, data);
        let etag = hex(&crc64nvme.to_be_bytes());
        Part { size: data.len() as u64, etag, md5: Some(md5::Md5::digest(data).into()), crc64nvme }
    }

    fn upload() -> (Upload, String) {
        let parts = [(1, part(b"hello")), (2, part(b" world"))];
        let xml = parts.iter().map(|(number, part)| {
            format!("<Part><ETag>&quot;{}&quot;</ETag><PartNumber>{number}</PartNumber></Part>", part.etag)
        });
        let xml = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", xml.collect::<String>());
        (Upload { parts: parts.into(), ..Upload::default() }, xml)
    }

    #[test]
    fn the_whole_has_the_crc_of_all_bytes() {
        let (upload, xml) = upload();
        let whole = assemble(&upload, &xml, Some("11")).unwrap();
        assert_eq!(whole.crc64nvme, crc_fast::checksum(CrcAlgorithm::Crc64Nvme, b"hello world"));
        assert_eq!(whole.size, 11);
        assert!(whole.etag.ends_with("-2"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (upload, xml) = upload();
        assert!(assemble(&upload, &xml, Some("12")).is_err());
        assert!(assemble(&upload, &xml.replace("<PartNumber>2", "<PartNumber>3"), None).is_err());
        assert!(assemble(&upload, &xml.replace("&quot;", "&quot;x"), None).is_err());
        assert!(assemble(&upload, "<Part><ETag>x</ETag></Part>", None).is_err());
    }

    #[test]
    fn parts_are_listed_in_pages() {
        let parts = (1..=1_500).map(|number| (number, part(b"x"))).collect();
        let upload = Upload { parts, ..Upload::default() };
        let first = list(&upload, "u", 0, None).body;
        assert!(first.contains("<NextPartNumberMarker>1000<") && first.contains("<IsTruncated>true<"));
        let last = list(&upload, "u", 1_000, None).body;
        assert!(last.contains("<PartNumber>1500<") && last.contains("<IsTruncated>false<"));
    }
}
