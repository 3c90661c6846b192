//! Findings on a terminal: one line each, what to do on the line below.

use std::io::IsTerminal;

use super::finding::{Finding, Verdict};

/// Whether somebody looks at the output, and did not ask for it without colours (<https://no-color.org>).
pub(crate) fn in_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// All of them, aligned, with a count at the end.
pub(crate) fn render(findings: &[Finding], colour: bool) -> String {
    let width = |text: fn(&Finding) -> &str| {
        findings.iter().map(|finding| text(finding).chars().count()).max().unwrap_or(0)
    };
    let (subject, check) = (width(|finding| &finding.subject), width(|finding| finding.check));
    let mut out = String::new();
    for finding in findings {
        let word = paint(finding.verdict, &format!("{:<7}", name(finding.verdict)), colour);
        let line =
            format!("{word}  {:<subject$}  {:<check$}  {}", finding.subject, finding.check, finding.text());
        out.push_str(line.trim_end());
        out.push('\n');
        for line in finding.advice.iter().flat_map(|advice| advice.lines()) {
            out.push_str(&format!("         {line}\n"));
        }
    }
    out.push_str(&format!("{}\n", summary(findings)));
    out
}

/// `12 checks: 1 wrong, 2 warnings`.
fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let checks = findings.len() - count(Verdict::Skipped);
    match (count(Verdict::Wrong), count(Verdict::Warning)) {
        (0, 0) => format!("{checks} checks, all ok"),
        (0, 1) => format!("{checks} checks: 1 warning"),
        (0, warnings) => format!("{checks} checks: {warnings} warnings"),
        (wrong, 0) => format!("{checks} checks: {wrong} wrong"),
        (wrong, 1) => format!("{checks} checks: {wrong} wrong, 1 warning"),
        (wrong, warnings) => format!("{checks} checks: {wrong} wrong, {warnings} warnings"),
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Skipped => "-",
        Verdict::Warning => "warning",
        Verdict::Wrong => "wrong",
    }
}

fn paint(verdict: Verdict, text: &str, colour: bool) -> String {
    let code = match verdict {
        Verdict::Ok => "32",
        Verdict::Skipped => "2",
        Verdict::Warning => "33",
        Verdict::Wrong => "1;31",
    };
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Finding, render};

    #[test]
    fn findings_line_up_and_say_what_to_do() {
        let findings = [
            Finding::ok("china", "credentials", "found"),
            Finding::wrong("china: photos-cn", "Region", "cn-northwest-1")
                .expected("cn-north-1")
                .advice("write region = \"cn-northwest-1\""),
            Finding::skipped("minio", "identity", "not of AWS"),
        ];
        let expected = "\
ok       china             credentials  found
wrong    china: photos-cn  Region       expected cn-north-1, found cn-northwest-1
         write region = \"cn-northwest-1\"
-        minio             identity     not of AWS
2 checks: 1 wrong
";
        assert_eq!(render(&findings, false), expected);
        assert!(render(&findings, true).contains("\u{1b}[1;31mwrong  \u{1b}[0m"));
    }
}
