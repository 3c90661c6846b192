//! Memory does not grow with the number of objects. A process of its own, for its peak is what is measured.
#![allow(clippy::unwrap_used)]

mod synthetic;

#[tokio::test]
async fn two_hundred_thousand_objects_on_both_sides_fit_into_a_small_worker() {
    let count = 200_000;
    let figures = synthetic::run(count, 16).await.unwrap();
    let found = figures.output.found;
    assert_eq!((found.listed.objects, found.destination.objects), (count * 49 / 50, count * 9 / 10));
    assert_eq!(found.deletes.objects, count / 50);
    // One of ten is missing, one of ten differs but for those that only the destination has; one of a thousand is large and
    // on both sides.
    assert_eq!(found.small.objects + found.large.objects, count / 10 + count / 10);
    assert_eq!(
        found.listed.objects,
        found.present.objects + found.small.objects + found.large.objects,
        "every object of the source is counted once"
    );
    assert_eq!(figures.files["batches"].0, found.batches);
    let least = found.listed.objects.div_ceil(1_000) + found.destination.objects.div_ceil(1_000);
    let pages = figures.pages.0 + figures.pages.1;
    println!(
        "{count} objects in {:.1} s: {pages} pages for {least}, {} KiB at most",
        figures.seconds, figures.peak_kib
    );
    assert!(pages <= least + 32 + 4 * 64 + least / 10, "{pages} pages for {least}");
    assert_eq!(figures.output.requests["ListObjectsV2"], pages);
    assert!(figures.peak_kib <= 128 << 10, "{} KiB", figures.peak_kib);
}
