//! One state: its type, and the fields that move data in and out.
use super::fields::{Fields, Problems};
use super::*;
use crate::query::Root;
use serde_json::Value;

/// Reads a state; problems are reported, and `None` means it cannot be used at all.
pub(super) fn parse(
    name: &str,
    value: &Value,
    at: String,
    problems: &Problems,
    outer: Context,
) -> Option<State> {
    let fields = Fields::new(value, at, problems)?;
    fields.text("Comment");
    let context = Context { language: language(&fields, outer.whole), ..outer };
    let types = ["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];
    fields.required("Type");
    let kind_name = fields.one_of("Type", &types)?;
    let io = read_io(&fields, kind_name, context.language);
    let kind = read_kind(&fields, kind_name, context)?;
    let transition = read_transition(&fields, kind_name);
    let fallible = matches!(kind_name, "Task" | "Parallel" | "Map");
    let (retry, catch) = match fallible {
        true => (task::retriers(&fields), task::catchers(&fields, context.language)),
        false => (Vec::new(), Vec::new()),
    };
    fields.finish();
    Some(State { name: name.to_owned(), language: context.language, kind, io, retry, catch, transition })
}

fn read_kind(fields: &Fields<'_>, kind: &str, context: Context) -> Option<Kind> {
    let language = context.language;
    match kind {
        "Pass" => {
            let result = (language == Language::JsonPath).then(|| fields.get("Result").cloned()).flatten();
            Some(Kind::Pass { result })
        }
        "Task" => task::parse(fields, context).map(|t| Kind::Task(Box::new(t))),
        "Choice" => choice::parse(fields, language),
        "Wait" => task::delay(fields, language).map(Kind::Wait),
        "Succeed" => Some(Kind::Succeed),
        "Fail" => Some(Kind::Fail {
            error: task::words(fields, "Error", "ErrorPath", language),
            cause: task::words(fields, "Cause", "CausePath", language),
        }),
        "Parallel" => parallel(fields, context),
        _ => map::parse(fields, context).map(|m| Kind::Map(Box::new(m))),
    }
}

fn parallel(fields: &Fields<'_>, context: Context) -> Option<Kind> {
    fields.required("Branches");
    let list = fields.list("Branches")?;
    if list.is_empty() {
        fields.bad("Branches", "Value cannot be empty");
    }
    let mut branches = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let branch = Fields::new(value, fields.at(&format!("Branches[{i}]")), fields.problems())?;
        branch.text("Comment");
        let flow = flow::parse(&branch, context);
        branch.finish();
        branches.push(std::sync::Arc::new(flow?));
    }
    Some(Kind::Parallel { branches })
}

fn read_transition(fields: &Fields<'_>, kind: &str) -> Option<Transition> {
    if matches!(kind, "Choice" | "Succeed" | "Fail") {
        return None;
    }
    match (fields.text("Next"), fields.flag("End")) {
        (Some(next), None | Some(false)) => Some(Transition::Next(next.to_owned())),
        (None, Some(true)) => Some(Transition::End),
        _ => {
            fields.bad_here("A state needs either 'Next' or 'End: true'");
            None
        }
    }
}

/// Which of the data fields a kind of state has.
struct Allowed {
    paths: bool,
    arguments: bool,
    result_path: bool,
    selector: bool,
    assign: bool,
    output: bool,
}

fn allowed(kind: &str) -> Allowed {
    let task = matches!(kind, "Task" | "Parallel" | "Map");
    Allowed {
        paths: kind != "Fail",
        arguments: matches!(kind, "Task" | "Parallel" | "Pass"),
        result_path: task || kind == "Pass",
        selector: task,
        assign: !matches!(kind, "Succeed" | "Fail"),
        output: kind != "Fail",
    }
}

fn read_io(fields: &Fields<'_>, kind: &str, language: Language) -> Io {
    let may = allowed(kind);
    let mut io = Io::default();
    if may.assign {
        io.assign = assign(fields, language);
    }
    if language == Language::Jsonata {
        if may.arguments && kind != "Pass" {
            io.arguments = template(fields, "Arguments", language);
        }
        if may.output {
            io.output = template(fields, "Output", language);
        }
        return io;
    }
    if may.paths {
        io.input_path = path_field(fields, "InputPath");
        io.output_path = path_field(fields, "OutputPath");
    }
    if may.arguments {
        io.arguments = template(fields, "Parameters", language);
    }
    if may.selector {
        io.result_selector = template(fields, "ResultSelector", language);
    }
    if may.result_path {
        io.result_path = result_path(fields);
    }
    io
}

/// `Assign`: an object whose keys are names of variables.
pub(super) fn assign(fields: &Fields<'_>, language: Language) -> Option<crate::query::Template> {
    let value = fields.get("Assign")?;
    let Some(map) = value.as_object() else {
        fields.bad("Assign", format!("Expected value of type Object, found {}", type_name(value)));
        return None;
    };
    for key in map.keys() {
        let name = key.strip_suffix(".$").filter(|_| language == Language::JsonPath).unwrap_or(key);
        let mut letters = name.chars();
        let named = letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && letters.all(|c| c.is_alphanumeric() || c == '_');
        if name == "states" {
            fields.bad("Assign", "'states' is a reserved name");
        } else if !named || name.chars().count() > 80 {
            fields.bad("Assign", format!("'{name}' is no name of a variable"));
        }
    }
    template(fields, "Assign", language)
}

/// Compiles a field as a payload template.
pub(super) fn template(
    fields: &Fields<'_>,
    field: &str,
    language: Language,
) -> Option<crate::query::Template> {
    let value = fields.get(field)?;
    match crate::query::Template::compile(value, language) {
        Ok(template) => Some(template),
        Err((message, below)) => {
            fields.bad(&format!("{field}{below}"), message);
            None
        }
    }
}

fn path_field(fields: &Fields<'_>, field: &str) -> PathField {
    match fields.get(field) {
        None => PathField::Whole,
        Some(Value::Null) => PathField::Discard,
        Some(_) => path(fields, field).map_or(PathField::Whole, PathField::Path),
    }
}

/// A field that holds a path.
pub(super) fn path(fields: &Fields<'_>, field: &str) -> Option<crate::query::Path> {
    let text = fields.text(field)?;
    crate::query::Path::parse(text).map_err(|m| fields.bad(field, m)).ok()
}

/// `ResultPath` of a state or a catcher: a reference path of field names.
pub(super) fn result_path(fields: &Fields<'_>) -> ResultPath {
    match fields.get("ResultPath") {
        None => ResultPath::Replace,
        Some(Value::Null) => ResultPath::Discard,
        Some(_) => {
            let Some(path) = path(fields, "ResultPath") else { return ResultPath::Replace };
            match path.fields().filter(|_| *path.root() == Root::Input) {
                Some(names) if names.is_empty() => ResultPath::Replace,
                Some(names) => ResultPath::Into(names),
                None => {
                    fields.bad("ResultPath", "Value is not a Reference Path of field names");
                    ResultPath::Replace
                }
            }
        }
    }
}
