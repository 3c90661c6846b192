//! How data moves in and out of a state, and what expressions see.
use super::{Cursor, Failure, MAX_DATA, Run, context};
use crate::asl::{Io, Language, Number, NumberValue, PathField, ResultPath, State, Text};
use crate::query::{QueryError, Scope as Sight, Template};
use serde_json::{Map, Value, json};

/// Everything an expression of a state may need.
pub(crate) struct View<'a> {
    pub(crate) run: &'a Run,
    pub(crate) cursor: &'a Cursor,
    pub(crate) state: &'a State,
    /// After `InputPath`.
    pub(crate) input: &'a Value,
    /// The item that `Map.Item` of the context object means.
    pub(crate) item: Option<&'a super::Item>,
}

impl View<'_> {
    /// The same view with something else in place of the input.
    fn over<'b>(&'b self, input: &'b Value) -> View<'b> {
        View { run: self.run, cursor: self.cursor, state: self.state, input, item: self.item }
    }

    /// Evaluates a template.
    pub(crate) fn evaluate(&self, template: &Template, field: &str) -> Result<Value, Failure> {
        self.evaluate_with(template, field, None, None)
    }

    /// Evaluates a template that may also see the result or the error.
    pub(crate) fn evaluate_with(
        &self,
        template: &Template,
        field: &str,
        result: Option<&Value>,
        error: Option<&Value>,
    ) -> Result<Value, Failure> {
        let context = || context::build(self.run, self.cursor, self.item, &self.state.kind);
        let sight = Sight {
            input: self.input,
            result,
            error,
            context: &context,
            variables: &self.cursor.variables,
            entropy: &self.run.engine.entropy,
        };
        template.evaluate(&sight, field).map_err(|e| self.fail(e))
    }

    /// An evaluation's error in this state.
    pub(crate) fn fail(&self, error: QueryError) -> Failure {
        Failure::query(error, &self.state.name, self.cursor.entered)
    }

    /// A failure that nothing catches.
    pub(crate) fn runtime(&self, cause: impl Into<String>) -> Failure {
        self.fail(QueryError::runtime(cause))
    }

    /// A wrong value in a field: an evaluation error in JSONata, a runtime error in JSONPath.
    pub(crate) fn wrong(&self, field: &str, cause: String) -> Failure {
        match self.state.language {
            Language::Jsonata => self.fail(QueryError::evaluation(cause, field)),
            Language::JsonPath => self.runtime(cause),
        }
    }

    /// A number that may be computed; whole, and not negative.
    pub(crate) fn number(&self, number: &Number) -> Result<f64, Failure> {
        let template = match &number.value {
            NumberValue::Fixed(n) => return Ok(*n),
            NumberValue::Computed(template) => template,
        };
        let value = match template {
            Template::Path(path) => self.path(path)?,
            other => self.evaluate(other, number.field)?,
        };
        // As recorded: a path may also lead to a text that holds a number.
        let text = value.as_str().filter(|_| self.state.language == Language::JsonPath);
        let found = value.as_f64().or_else(|| text.and_then(|t| t.parse().ok()));
        let whole = found.filter(|n| n.is_finite() && n.fract() == 0.0);
        let Some(n) = whole else { return Err(self.no_number(number, template, &value)) };
        if n < 0.0 {
            let name = number.field.strip_suffix("Path").unwrap_or(number.field);
            return Err(self.wrong(number.field, format!("{name} cannot be negative.")));
        }
        Ok(n)
    }

    fn no_number(&self, number: &Number, template: &Template, value: &Value) -> Failure {
        let (field, source) = (number.field, template.source());
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self.state.language {
            Language::JsonPath => self.runtime(format!(
                "The {field} field refers to value \"{shown}\" which is not a valid integer: {source}"
            )),
            Language::Jsonata => self.wrong(field, unexpected(&source, field, "number", value)),
        }
    }

    /// A path in a field of its own.
    pub(crate) fn path(&self, path: &crate::query::Path) -> Result<Value, Failure> {
        let context = || context::build(self.run, self.cursor, self.item, &self.state.kind);
        let sight = Sight {
            input: self.input,
            result: None,
            error: None,
            context: &context,
            variables: &self.cursor.variables,
            entropy: &self.run.engine.entropy,
        };
        path.find(&sight).ok_or_else(|| self.fail(path.no_results()))
    }

    /// A text that may be computed.
    pub(crate) fn text(&self, text: &Text) -> Result<String, Failure> {
        match self.evaluate(&text.template, text.field)? {
            Value::String(found) => Ok(found),
            other => {
                let (source, field) = (text.template.source(), text.field);
                Err(match text.template {
                    Template::Jsonata(_) => self.wrong(field, unexpected(&source, field, "string", &other)),
                    _ => self.runtime(format!(
                        "The {field} field refers to value \"{other}\" which is not a valid string: {source}"
                    )),
                })
            }
        }
    }
}

/// The service's words for a JSONata result of the wrong type.
pub(crate) fn unexpected(source: &str, field: &str, expected: &str, value: &Value) -> String {
    let found = crate::asl::type_name(value).to_lowercase();
    format!(
        "The JSONata expression '{source}' specified for the field '{field}' returned an unexpected result type. \
         Expected '{expected}', but was '{found}' for value: {value}"
    )
}

/// `InputPath`.
pub(super) fn effective_input(view: &View<'_>, io: &Io) -> Result<Value, Failure> {
    selected(view, &io.input_path)
}

fn selected(view: &View<'_>, field: &PathField) -> Result<Value, Failure> {
    match field {
        PathField::Whole => Ok(view.input.clone()),
        PathField::Discard => Ok(json!({})),
        PathField::Path(path) => view.path(path),
    }
}

/// Puts a result into the input where `ResultPath` says.
pub(super) fn place(result_path: &ResultPath, input: &Value, result: Value) -> Result<Value, String> {
    let names = match result_path {
        ResultPath::Replace => return Ok(result),
        ResultPath::Discard => return Ok(input.clone()),
        ResultPath::Into(names) => names,
    };
    if !input.is_object() {
        return Err(format!("Unable to apply ReferencePath $.{} to input {input}", names.join(".")));
    }
    let mut whole = input.clone();
    let mut place = &mut whole;
    for name in names {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name.as_str()];
    }
    *place = result;
    Ok(whole)
}

/// What a state hands on.
pub(super) struct Result_ {
    pub(super) output: Value,
    pub(super) assigned: Option<Map<String, Value>>,
}

/// From a state's result to its output and the variables it assigns.
pub(super) fn finish(view: &View<'_>, raw_input: &Value, result: Option<Value>) -> Result<Result_, Failure> {
    let io = &view.state.io;
    match view.state.language {
        Language::Jsonata => {
            let assigned = assign(view, io.assign.as_ref(), result.as_ref(), None)?;
            let output = match &io.output {
                Some(template) => view.evaluate_with(template, "Output", result.as_ref(), None)?,
                None => result.unwrap_or_else(|| raw_input.clone()),
            };
            checked(view, output).map(|output| Result_ { output, assigned })
        }
        Language::JsonPath => finish_paths(view, raw_input, result),
    }
}

fn finish_paths(view: &View<'_>, raw_input: &Value, result: Option<Value>) -> Result<Result_, Failure> {
    let io = &view.state.io;
    let has_result = result.is_some();
    let result = result.unwrap_or_else(|| view.input.clone());
    let assigned = assign(&view.over(&result), io.assign.as_ref(), None, None)?;
    let selected_result = match &io.result_selector {
        Some(template) => view.over(&result).evaluate(template, "ResultSelector")?,
        None => result,
    };
    let placed = match has_result {
        true => place(&io.result_path, raw_input, selected_result).map_err(|m| view.runtime(m))?,
        false => selected_result,
    };
    let output = selected(&view.over(&placed), &io.output_path)?;
    checked(view, output).map(|output| Result_ { output, assigned })
}

/// `Assign`, all of it seeing the variables as they were.
pub(super) fn assign(
    view: &View<'_>,
    template: Option<&Template>,
    result: Option<&Value>,
    error: Option<&Value>,
) -> Result<Option<Map<String, Value>>, Failure> {
    let Some(template) = template else { return Ok(None) };
    match view.evaluate_with(template, "Assign", result, error)? {
        Value::Object(map) => Ok(Some(map)),
        _ => Ok(None),
    }
}

/// Deepest output: it is stored inside other documents, and JSON is read again to 128 levels.
const MAX_NESTING: usize = 110;

fn deeper(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|v| deeper(v, left - 1)),
        Value::Object(map) => left == 0 || map.values().any(|v| deeper(v, left - 1)),
        _ => false,
    }
}

/// Refuses more bytes than a state may hand on.
pub(super) fn checked(view: &View<'_>, output: Value) -> Result<Value, Failure> {
    if deeper(&output, MAX_NESTING) {
        let cause =
            format!("The output of the state '{}' is nested more than {MAX_NESTING} deep.", view.state.name);
        return Err(Failure::terminal("States.Runtime", cause));
    }
    match json_size(&output) > MAX_DATA {
        true => Err(Failure { terminal: true, ..Failure::too_large(&view.state.name) }),
        false => Ok(output),
    }
}

/// Bytes of a value as JSON without spaces, counted without writing it.
pub(crate) fn json_size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail: the writer above never does, and a Value always serialises.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
