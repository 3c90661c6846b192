//! The report as one page without external assets, for people.

use std::fmt::Write;

use transload_wire::{Counts, Failure, ObjectRecord, ReportInput, Tally};

use crate::gather::Gathered;
use crate::json;
use crate::slowest::ROWS;
use crate::throughput::Throughput;

/// The whole page. Whatever comes from outside is escaped: keys and causes may hold anything.
pub(crate) fn page(
    input: &ReportInput,
    counts: &Counts,
    gathered: &Gathered,
    accounted: &Result<(), Failure>,
) -> String {
    let (from, to) = (input.request.source.to_string(), input.request.destination.to_string());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n<h1>{} &rarr; {}</h1>\n",
        escape(&format!("{from} to {to}")),
        include_str!("page.css"),
        escape(&from),
        escape(&to)
    );
    head(&mut page, input, counts, accounted);
    cards(&mut page, counts);
    throughput(&mut page, &gathered.throughput);
    failures(&mut page, counts, gathered);
    skipped(&mut page, counts);
    slowest(&mut page, gathered);
    let _ = write!(page, "<script>\n{}</script>\n</body>\n</html>\n", include_str!("page.js"));
    page
}

fn head(page: &mut String, input: &ReportInput, counts: &Counts, accounted: &Result<(), Failure>) {
    let (class, text) = match json::status(counts, accounted) {
        "synced" => ("status", "Every object is accounted for, and none failed."),
        "parked" => (
            "status",
            "Every object is accounted for, and none failed. Some are left to another run, beyond the budget.",
        ),
        "objectsFailed" => ("status bad", "Objects failed. A redrive of the execution sends only them."),
        _ => ("status bad", "The sums do not agree: objects are missing from the results."),
    };
    let _ = writeln!(page, "<p class=\"{class}\">{text}</p>");
    if let Err(failure) = accounted {
        let _ = writeln!(page, "<p>{}</p>", escape(&failure.message));
    }
    let _ = writeln!(
        page,
        "<p>Execution {}, started {}, {} round{}. All objects: <a href=\"objects.csv\">objects.csv</a>; for programs: \
         <a href=\"report.json\">report.json</a>.</p>",
        escape(&input.execution.id),
        escape(&input.execution.start_time),
        input.rounds.len(),
        if input.rounds.len() == 1 { "" } else { "s" }
    );
}

fn cards(page: &mut String, counts: &Counts) {
    let skipped = counts.skipped.values().fold(Tally::default(), |sum, tally| Tally {
        objects: sum.objects + tally.objects,
        bytes: sum.bytes + tally.bytes,
    });
    let mut cards = vec![
        ("listed", counts.listed),
        ("copied", counts.copied),
        ("there already", counts.present),
        ("skipped", skipped),
        ("failed", counts.failed),
    ];
    if counts.parked.objects > 0 {
        cards.push(("parked", counts.parked));
    }
    let deletions =
        [("deleted", counts.deleted), ("not deleted", counts.kept), ("deletions failed", counts.undeleted)];
    cards.extend(deletions.into_iter().filter(|(_, tally)| tally.objects > 0));
    page.push_str("<ul class=\"cards\">\n");
    for (name, tally) in cards {
        let (objects, bytes) = (grouped(tally.objects), size(tally.bytes));
        let _ = writeln!(page, "<li><span>{name}</span><b>{objects}</b><span>{bytes}</span></li>");
    }
    page.push_str("</ul>\n");
}

fn throughput(page: &mut String, throughput: &Throughput) {
    let bins = throughput.bins();
    let most = bins.iter().map(|bin| bin.bytes).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let rate = size(most / throughput.seconds().max(1));
    let seconds = throughput.seconds();
    let _ = write!(
        page,
        "<h2>Throughput</h2>\n<p>At most {rate}/s, by the end of each batch or large object; a bar is {seconds} s.</p>\n\
         <svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Bytes copied over time\">\n",
        bins.len().max(30)
    );
    for (at, bin) in bins.iter().enumerate() {
        // Whole percents are as fine as the picture.
        let height = bin.bytes.saturating_mul(100) / most;
        let title = format!("{} s: {}, {} objects", at as u64 * seconds, size(bin.bytes), bin.objects);
        let y = 100 - height;
        let _ = writeln!(
            page,
            "<rect x=\"{at}\" y=\"{y}\" width=\".9\" height=\"{height}\"><title>{title}</title></rect>"
        );
    }
    page.push_str("</svg>\n");
}

fn failures(page: &mut String, counts: &Counts, gathered: &Gathered) {
    let all = counts.failed.objects + counts.undeleted.objects;
    if all == 0 {
        return;
    }
    page.push_str("<h2>Failed</h2>\n");
    tallies(page, "errors", "error", gathered.errors.iter());
    shown(page, gathered.failed.len(), all);
    begin(page, "failed", &[("key", false), ("bytes", true), ("error", false), ("why", false)]);
    for record in &gathered.failed {
        cells(page, record, &[record.error.as_deref(), record.cause.as_deref()], None);
    }
    page.push_str("</tbody></table></div>\n");
}

fn skipped(page: &mut String, counts: &Counts) {
    if !counts.skipped.is_empty() {
        page.push_str("<h2>Skipped</h2>\n");
        tallies(page, "skipped", "reason", counts.skipped.iter());
    }
}

fn slowest(page: &mut String, gathered: &Gathered) {
    let rows: Vec<_> = gathered.slowest.rows().collect();
    if rows.is_empty() {
        return;
    }
    page.push_str("<h2>Slowest</h2>\n");
    shown(page, rows.len(), gathered.slowest.seen());
    begin(page, "slowest", &[("key", false), ("bytes", true), ("milliseconds", true)]);
    for record in rows {
        cells(page, record, &[], Some(record.duration_ms));
    }
    page.push_str("</tbody></table></div>\n");
}

fn shown(page: &mut String, rows: usize, all: u64) {
    if rows as u64 != all {
        let (rows, all) = (grouped(rows as u64), grouped(all));
        let _ = writeln!(page, "<p>{rows} of {all} (at most {ROWS} here); all of them: objects.csv.</p>");
    }
}

fn tallies<'a>(page: &mut String, id: &str, name: &str, rows: impl Iterator<Item = (&'a String, &'a Tally)>) {
    begin(page, &format!("{id}-by-name"), &[(name, false), ("objects", true), ("bytes", true)]);
    for (name, tally) in rows {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"number\" data-value=\"{}\">{}</td><td class=\"number\" data-value=\"{}\">{}</td></tr>",
            escape(name),
            tally.objects,
            grouped(tally.objects),
            tally.bytes,
            size(tally.bytes)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// The head of a table; columns of numbers are sorted as such.
fn begin(page: &mut String, id: &str, columns: &[(&str, bool)]) {
    let _ = write!(page, "<div class=\"scroll\"><table id=\"{id}\"><thead><tr>");
    for (name, number) in columns {
        let class = if *number { " class=\"number\"" } else { "" };
        let _ = write!(page, "<th{class}><button>{name}</button></th>");
    }
    page.push_str("</tr></thead><tbody>\n");
}

fn cells(page: &mut String, record: &ObjectRecord, texts: &[Option<&str>], duration: Option<u64>) {
    let (key, bytes) = (escape(record.key.as_str()), record.size);
    let _ = write!(
        page,
        "<tr><td class=\"long\">{key}</td><td class=\"number\" data-value=\"{bytes}\">{}</td>",
        size(bytes)
    );
    // A name stays whole; what follows it may break anywhere.
    for (text, class) in texts.iter().zip(["", " class=\"long\""]) {
        let _ = write!(page, "<td{class}>{}</td>", escape(text.unwrap_or("")));
    }
    if let Some(duration) = duration {
        let _ = write!(page, "<td class=\"number\" data-value=\"{duration}\">{}</td>", grouped(duration));
    }
    page.push_str("</tr>\n");
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Keys may hold them; shown, they would break the line or nothing at all.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let Some(unit) = (0..units.len()).rev().find(|unit| bytes >> (10 * (unit + 1)) > 0) else {
        return format!("{bytes} B");
    };
    let whole = 1_u64 << (10 * (unit + 1));
    let tenths = (bytes % whole) / (whole / 10).max(1);
    format!("{}.{} {}", bytes / whole, tenths.min(9), units.get(unit).unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::{escape, grouped, size};

    #[test]
    fn numbers_are_written_for_people() {
        let sizes = [0, 1_023, 1_024, 1_536, 5 << 30, (1 << 40) - 1];
        assert_eq!(sizes.map(size), ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 GiB", "1023.9 GiB"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn no_key_is_taken_for_markup() {
        assert_eq!(escape("<script>alert('&\"\u{7}')"), "&lt;script&gt;alert(&#39;&amp;&quot;\u{fffd}&#39;)");
    }
}
