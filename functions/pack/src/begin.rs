//! The first call: refuses what can not be meant, and creates the upload.

use transload_plan::{Filter, FilterRules, Layout, MIB};
use transload_store::{
    Deadline, Head, ObjectRef, Side, Stamp, Store, Target, failure_of, fingerprint, prove,
};
use transload_wire::{
    ArchiveFormat, Attributes, Destination, ErrorName, Failure, Options, Overwrite, Pinned, Source,
    StoredSource, Token, Upload,
};

use crate::wire::{Begun, PackInput, PackRequest};

/// Bytes of a part where nobody asks for others: ten thousand of them are 156 GiB, and a worker holds three.
const PART: u64 = 16 * MIB;
/// The smallest, whatever the store takes: some pieces of what is compressed at once.
const SMALLEST: u64 = MIB;
/// The largest: a worker holds three.
const LARGEST: u64 = 512 * MIB;

/// What is packed.
///
/// # Errors
/// `InputInvalid` for a pattern that is none.
pub(crate) fn filter(request: &PackRequest) -> Result<Filter, Failure> {
    let rules = FilterRules {
        include: &request.pack.include,
        exclude: &request.pack.exclude,
        ..FilterRules::default()
    };
    Filter::new(&rules).map_err(|error| ErrorName::InputInvalid.because(format!("pack.{error}")))
}

/// Creates the upload.
///
/// # Errors
/// `InputInvalid` and `PlanInvalid` with the field; `DestinationExists`; the destination's own.
pub(crate) async fn begin(
    store: &dyn Store,
    deadline: Deadline,
    input: &PackInput,
) -> Result<Begun, Failure> {
    let request = &input.request;
    request.options.check_of_archive("an archive")?;
    let destination = dated(&request.destination, &input.execution.start_time)?;
    check_apart(request, &destination)?;
    let format = format(request, &destination)?;
    let level = format.level(request.pack.level)?;
    let part_size = part_size(&request.options, store)?;
    prove::provable(store, &destination)?;
    let found = deadline.bound(store.head(&ObjectRef::of_destination(&destination))).await?;
    let standing = match found {
        Ok(head) => Some(head),
        Err(error) if prove::is_nothing(&error) => None,
        Err(error) => return Err(failure_of(error, Side::Destination).at("destination")),
    };
    refuse_standing(&request.options, &destination, standing.as_ref())?;
    let token = token(input)?;
    let target = target(store, request, &destination, format, &token)?;
    let created = deadline.bound(store.create_upload(&target)).await?;
    let created = created.map_err(|error| failure_of(error, Side::Destination).at("destination"))?;
    Ok(Begun {
        destination,
        options: request.options.clone(),
        upload: Upload { upload_id: created.id, checksum_algorithm: created.checksum_algorithm },
        token,
        replaces: standing.map(|head| head.etag),
        format,
        level,
        part_size,
        route: request.route.clone(),
    })
}

/// The destination of this day.
fn dated(destination: &Destination, started: &str) -> Result<Destination, Failure> {
    let refuse = |why: String| ErrorName::InputInvalid.because(why);
    let time = transload_plan::utc(started)
        .ok_or_else(|| refuse(format!("execution.startTime: expected a time in UTC, found {started:?}")))?;
    let (date, clock) = time.trim_end_matches('Z').split_once('T').unwrap_or((&time, ""));
    let key = destination.key.as_str().replace("{date}", date).replace("{time}", &clock.replace(':', ""));
    let key = key.parse().map_err(|error| refuse(format!("destination.key: {error}")))?;
    Ok(Destination { key, ..destination.clone() })
}

/// An archive that stands in its own tree would be packed into the next one.
fn check_apart(request: &PackRequest, destination: &Destination) -> Result<(), Failure> {
    let source = &request.source;
    if !source.holds(&destination.location, &destination.bucket, &destination.key) {
        return Ok(());
    }
    Err(ErrorName::InputInvalid
        .because(format!("destination: expected a place outside of {source}, found {destination}")))
}

fn format(request: &PackRequest, destination: &Destination) -> Result<ArchiveFormat, Failure> {
    request.pack.format.or_else(|| ArchiveFormat::of_key(destination.key.as_str())).ok_or_else(|| {
        ErrorName::InputInvalid.because(format!(
            "pack.format: expected tar, tar.gz or tar.zst, or a destination.key that ends so, found none and {}",
            destination.key
        ))
    })
}

fn part_size(options: &Options, store: &dyn Store) -> Result<u64, Failure> {
    let limits = store.limits();
    let (least, most) = (limits.min_part.max(SMALLEST), limits.max_part.min(LARGEST));
    let size = options.part_size.unwrap_or_else(|| PART.max(limits.default_part).clamp(least, most));
    if (least..=most).contains(&size) {
        return Ok(size);
    }
    Err(ErrorName::PlanInvalid
        .because(format!("options.partSize: expected {least} to {most} bytes, found {size}")))
}

fn refuse_standing(
    options: &Options,
    destination: &Destination,
    standing: Option<&Head>,
) -> Result<(), Failure> {
    match standing {
        Some(head) if options.overwrite == Overwrite::Never => {
            Err(ErrorName::DestinationExists.because(format!(
                "{destination}: expected nothing (options.overwrite is never), found ETag {}",
                head.etag.to_header()
            )))
        }
        _ => Ok(()),
    }
}

/// The same after a redrive.
fn token(input: &PackInput) -> Result<Token, Failure> {
    let text = fingerprint::<16>(&["pack", &input.execution.id]);
    text.parse().map_err(|error| ErrorName::Internal.because(format!("token: {error}")))
}

fn target(
    store: &dyn Store,
    request: &PackRequest,
    destination: &Destination,
    format: ArchiveFormat,
    token: &Token,
) -> Result<Target, Failure> {
    let options = &request.options;
    let attributes = Attributes {
        content_type: Some(format.media_type().to_owned()),
        metadata: options.metadata.clone().unwrap_or_default(),
        tags: options.tags.clone().unwrap_or_default(),
        storage_class: options.storage_class.clone(),
        ..Attributes::default()
    };
    let pinned = pinned(request, token, 0)?;
    let stamp = Stamp::new(token, token, &pinned);
    Ok(Target::of(destination, &attributes, options, &stamp, prove::algorithm(None, store)))
}

/// The tree as a source: `*` behind its prefix stands for all that it holds, and the token for its version, for two packings
/// are never of one.
pub(crate) fn pinned(request: &PackRequest, token: &Token, size: u64) -> Result<Pinned, Failure> {
    let internal = |error: String| ErrorName::Internal.because(error);
    let tree = &request.source;
    Ok(Pinned {
        object: Source::Stored(StoredSource {
            location: tree.location.clone(),
            bucket: tree.bucket.clone(),
            key: format!("{}*", tree.prefix)
                .parse()
                .map_err(|error| internal(format!("{tree}*: {error}")))?,
            version_id: None,
        }),
        etag: token.as_str().parse().map_err(|error| internal(format!("{token:?}: {error}")))?,
        size,
        last_modified: String::new(),
        checksum: None,
        requester_pays: request.options.requester_pays,
    })
}

/// The parts of a whole archive.
pub(crate) fn layout(store: &dyn Store, begun: &Begun, size: u64) -> Result<Layout, Failure> {
    Ok(transload_plan::layout(size, Some(begun.part_size), store.limits())?)
}
