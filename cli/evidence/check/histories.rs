//! Reads all histories once: each by itself, and the records that follow from them against those in the pack.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Check;
use super::history::{History, States, states};
use super::lines::{Rows, document, whole};
use super::objects::Objects;
use crate::evidence::archive::{Pack, sha256};
use crate::evidence::manifest::Manifest;
use crate::evidence::name;
use crate::evidence::records::{Begin, ChildLine, Records, Told};
use crate::story::text;

/// All checks that histories are needed for.
pub(super) fn check(pack: &Pack, manifest: &Manifest) -> Vec<Check> {
    let execution: Value = match document(pack, name::EXECUTION) {
        Ok(execution) => execution,
        Err(why) => return vec![Check::failed("execution", why)],
    };
    let mut checks = vec![
        Check::of("execution", is_of(&execution, manifest)),
        Check::of("input", input(pack, &execution)),
        Check::of("definition", definition(pack)),
    ];
    match Reading::start(pack, execution).and_then(Reading::run) {
        Ok((history, objects)) => {
            checks.push(Check::ok("histories", history));
            checks.push(Check::ok("records", "parts, checksums and versions are what the histories tell"));
            checks.extend(objects.checks());
        }
        Err((check, why)) => checks.push(Check::failed(check, why)),
    }
    checks
}

fn is_of(execution: &Value, manifest: &Manifest) -> Result<String, String> {
    let (arn, status) = (text(execution, "executionArn"), text(execution, "status"));
    if arn != manifest.execution_arn || status != manifest.status {
        let expected = format!("{} {}", manifest.execution_arn, manifest.status);
        return Err(format!(
            "{}: expected {expected} as in the manifest, found {arn} {status}",
            name::EXECUTION
        ));
    }
    Ok(format!("{status}, {arn}"))
}

fn input(pack: &Pack, execution: &Value) -> Result<String, String> {
    if whole(pack, name::INPUT)? != text(execution, "input") {
        return Err(format!("{}: expected the input of {}, found another", name::INPUT, name::EXECUTION));
    }
    Ok("the same in its own file, in the execution, and in the history's first event".to_owned())
}

fn definition(pack: &Pack) -> Result<String, String> {
    let found = sha256(whole(pack, name::DEFINITION)?.as_bytes());
    let versions: Value = document(pack, name::VERSIONS)?;
    let told = versions["machine"]["definitionSha256"].as_str().unwrap_or_default();
    if told != found {
        return Err(format!("{}: expected SHA-256 {told}, found {found}", name::DEFINITION));
    }
    for file in pack.files.iter().filter(|file| file.name.starts_with(name::DEFINITIONS)) {
        if file.name != format!("{}{}.asl.json", name::DEFINITIONS, file.sha256) {
            return Err(format!("{}: expected its SHA-256 as its name, found {}", file.name, file.sha256));
        }
    }
    Ok(format!("SHA-256 {found}"))
}

/// A check that does not hold, and why.
type Broken = (&'static str, String);

fn history<T>(found: Result<T, String>) -> Result<T, Broken> {
    found.map_err(|why| ("histories", why))
}

fn records<T>(found: Result<T, String>) -> Result<T, Broken> {
    found.map_err(|why| ("records", why))
}

/// Everything at its place while all lines are read once.
struct Reading<'a> {
    pack: &'a Pack,
    main: (String, States),
    nested: Option<(String, States)>,
    records: Records,
    open: Option<History>,
    parts: Rows,
    checksums: Rows,
    objects: Objects,
    events: u64,
    executions: u64,
}

impl<'a> Reading<'a> {
    fn start(pack: &'a Pack, execution: Value) -> Result<Self, Broken> {
        let definition: Value = history(document(pack, name::DEFINITION))?;
        Ok(Self {
            pack,
            main: (text(&execution, "executionArn").to_owned(), states(&definition)),
            nested: None,
            records: Records::of(&execution),
            open: Some(History::of(execution)),
            parts: records(Rows::of(pack, name::PARTS))?,
            checksums: records(Rows::of(pack, name::CHECKSUMS))?,
            objects: Objects::default(),
            events: 0,
            executions: 0,
        })
    }

    fn run(mut self) -> Result<(String, Objects), Broken> {
        let mut rows = history(Rows::of(self.pack, name::HISTORY))?;
        while let Some(event) = history(rows.parsed::<Value>())? {
            if let Some(open) = &mut self.open {
                history(open.event(&event, &self.main.1))?;
            }
            self.records.main_event(&event);
        }
        self.close()?;
        let mut rows = history(Rows::of(self.pack, name::CHILDREN))?;
        while let Some(line) = history(rows.parsed::<ChildLine>())? {
            self.line(&line)?;
        }
        self.close()?;
        self.end()
    }

    fn line(&mut self, line: &ChildLine) -> Result<(), Broken> {
        match line {
            ChildLine::Begin(begin) => {
                self.close()?;
                self.begin(begin)?;
            }
            ChildLine::Event(event) => {
                let states = self.nested.as_ref().map_or(&self.main.1, |(_, states)| states);
                let open = self.open.as_mut().ok_or(("histories", "an event of no execution".to_owned()))?;
                history(open.event(event, states))?;
            }
        }
        let told = self.records.line(line);
        self.compare(&told)
    }

    /// The states of what begins are those of its own definition, or of its owner's.
    fn begin(&mut self, begin: &Begin) -> Result<(), Broken> {
        let arn = text(&begin.execution, "executionArn").to_owned();
        if let Some(sha256) = &begin.definition {
            let file = format!("{}{sha256}.asl.json", name::DEFINITIONS);
            let definition: Value = history(document(self.pack, &file))?;
            self.nested = Some((arn, states(&definition)));
        } else if begin.owner == self.main.0 {
            self.nested = None;
        } else if self.nested.as_ref().is_none_or(|(nested, _)| *nested != begin.owner) {
            return Err((
                "histories",
                format!("{arn}: it belongs to {}, which is not before it", begin.owner),
            ));
        }
        self.open = Some(History::of(begin.execution.clone()));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Broken> {
        if let Some(open) = self.open.take() {
            self.events += history(open.finish())?;
            self.executions += 1;
        }
        Ok(())
    }

    fn compare(&mut self, told: &Told) -> Result<(), Broken> {
        same(&mut self.checksums, &told.objects)?;
        same(&mut self.parts, &told.parts)?;
        for object in &told.objects {
            let of = |part: &&crate::evidence::transfer::PartLine| part.execution_arn == object.execution_arn;
            let parts: Vec<_> = told.parts.iter().filter(of).collect();
            self.objects.judge(object, &parts);
        }
        Ok(())
    }

    fn end(mut self) -> Result<(String, Objects), Broken> {
        let rest = std::mem::replace(&mut self.records, Records::of(&Value::Null));
        let (told, functions) = rest.end();
        self.compare(&told)?;
        for rows in [&mut self.parts, &mut self.checksums] {
            if records(rows.next())?.is_some() {
                return Err(("records", format!("{}: the histories tell of no more", rows.place())));
            }
        }
        let versions: Value = records(document(self.pack, name::VERSIONS))?;
        if versions["functions"] != json!(functions) {
            return Err((
                "records",
                format!("{}: its functions are not those of the histories", name::VERSIONS),
            ));
        }
        let told = format!(
            "{} events of {} executions, without gaps, from start to end",
            self.events, self.executions
        );
        Ok((told, self.objects))
    }
}

/// Whether the next lines say just this.
fn same<T: DeserializeOwned + PartialEq>(rows: &mut Rows, told: &[T]) -> Result<(), Broken> {
    for expected in told {
        if records(rows.parsed::<T>())?.as_ref() != Some(expected) {
            return Err(("records", format!("{}: it is not what the histories tell", rows.place())));
        }
    }
    Ok(())
}
