//! Compares two places of ten million objects each that do not exist, and says what it took (objects, listers):
//! `cargo build --release --workspace --example synthetic && target/release/examples/synthetic 10000000 16`.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), transload_wire::Failure> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(10_000_000);
    let listers = numbers.get(1).and_then(|listers| u32::try_from(*listers).ok()).unwrap_or(16);
    let figures = synthetic::run(count, listers).await?;
    let found = &figures.output.found;
    let least = |objects: u64| objects.div_ceil(1_000);
    println!("{count} keys, {listers} listers, {:.1} s", figures.seconds);
    println!("peak memory        {} MiB", figures.peak_kib >> 10);
    println!("pages of the source      {} for {}", figures.pages.0, least(found.listed.objects));
    println!("pages of the destination {} for {}", figures.pages.1, least(found.destination.objects));
    println!("{}", serde_json::to_string(found).unwrap_or_default());
    for (folder, (lines, bytes)) in &figures.files {
        println!("{folder}: {lines} lines, {} MiB", bytes >> 20);
    }
    Ok(())
}
