//! What the documents tell people to type is what the program takes.

use clap::Parser;

use crate::Cli;

const DOCUMENTS: [(&str, &str); 4] = [
    ("README.md", include_str!("../README.md")),
    ("docs/evidence.md", include_str!("../docs/evidence.md")),
    ("docs/operations.md", include_str!("../docs/operations.md")),
    ("cdk/README.md", include_str!("../cdk/README.md")),
];

/// The lines of shell blocks, those that go on joined.
fn commands(document: &str) -> Vec<String> {
    let (mut shell, mut block, mut found) = (false, false, Vec::new());
    for line in document.replace("\\\n", " ").lines() {
        let line = line.trim();
        match line.strip_prefix("```") {
            Some(language) if !block => (block, shell) = (true, language == "sh"),
            Some(_) => (block, shell) = (false, false),
            None if shell => found.push(line.to_owned()),
            None => {}
        }
    }
    found
}

/// Words as a shell takes them, up to a pipe, a redirection or a remark.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '#' | ';') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_in_the_documents_is_one() {
    let mut checked = 0;
    for (name, document) in DOCUMENTS {
        for line in commands(document) {
            let typed = words(&line);
            let typed: &[String] = match typed.first().map(String::as_str) {
                Some("transload") => &typed,
                // cargo run --release -- COMMAND
                Some("cargo") => match typed.iter().position(|word| word == "--") {
                    Some(at) => &typed[at..],
                    None => continue,
                },
                _ => continue,
            };
            let parsed = Cli::try_parse_from(typed);
            assert!(parsed.is_ok(), "{name}: {line}\n{}", parsed.err().unwrap());
            checked += 1;
        }
    }
    assert!(checked > 25, "{checked} commands were found");
}

#[test]
fn lines_are_taken_apart_as_a_shell_does() {
    assert_eq!(words("transload copy 'a b' \"c\"d | jq # x"), ["transload", "copy", "a b", "cd"]);
    assert_eq!(words("a b#c > d"), ["a", "b#c"]);
    assert_eq!(commands("x\n```sh\na \\\n  b\n```\n```json\nc\n```\n"), ["a    b"]);
}
