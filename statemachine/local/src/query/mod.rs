//! Expressions and payload templates of both query languages, compiled once and evaluated where a state needs them.
mod bounds;
mod filter;
mod functions;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod hostile;
mod intrinsic;
mod jsonata;
mod measure;
mod path;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod witness;

pub(crate) use jsonata::Expression;
pub(crate) use path::{Path, Root};

use crate::asl::Language;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Where randomness comes from: seeded in tests, so that ids and jitter repeat.
pub(crate) type Entropy = Arc<Mutex<rand::rngs::StdRng>>;

/// A value of a definition with its expressions compiled.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    Literal(Value),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
    Jsonata(Arc<Expression>),
    Path(Path),
    Intrinsic(intrinsic::Call),
}

/// What an expression can see.
pub(crate) struct Scope<'a> {
    pub(crate) input: &'a Value,
    pub(crate) result: Option<&'a Value>,
    pub(crate) error: Option<&'a Value>,
    /// Built only when an expression asks for it: most never do.
    pub(crate) context: &'a (dyn Fn() -> Value + Sync),
    pub(crate) variables: &'a BTreeMap<String, Value>,
    pub(crate) entropy: &'a Entropy,
}

/// What a failed evaluation becomes in the state that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `States.QueryEvaluationError`, with an `EvaluationFailed` event.
    Evaluation,
    /// `States.Runtime`.
    Runtime,
    /// `States.IntrinsicFailure`.
    Intrinsic,
}

/// A failed evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) fault: Fault,
    /// Without the preamble that names the state.
    pub(crate) cause: String,
    /// The field, `Output/error`.
    pub(crate) location: Option<String>,
}

impl QueryError {
    /// An evaluation that failed at a field.
    pub(crate) fn evaluation(cause: String, location: &str) -> Self {
        Self { fault: Fault::Evaluation, cause, location: Some(location.to_owned()) }
    }

    /// A failure that no Catch can see.
    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self { fault: Fault::Runtime, cause: cause.into(), location: None }
    }
}

impl Template {
    /// Compiles a value of a definition. `Err` holds the message and the place below `value`.
    pub(crate) fn compile(value: &Value, language: Language) -> Result<Self, (String, String)> {
        match value {
            Value::Object(map) => Self::compile_object(map, language),
            Value::Array(list) => {
                let compiled = list
                    .iter()
                    .enumerate()
                    .map(|(i, v)| Self::compile(v, language).map_err(|(m, at)| (m, format!("[{i}]{at}"))));
                Ok(Self::Array(compiled.collect::<Result<_, _>>()?).settled())
            }
            Value::String(text) if language == Language::Jsonata => Self::compile_jsonata(text),
            other => Ok(Self::Literal(other.clone())),
        }
    }

    fn compile_object(map: &Map<String, Value>, language: Language) -> Result<Self, (String, String)> {
        let mut fields = Vec::with_capacity(map.len());
        for (key, value) in map {
            let at = |(m, below): (String, String)| (m, format!("/{key}{below}"));
            let (name, template) = match (language, key.strip_suffix(".$"), value) {
                (Language::JsonPath, Some(name), Value::String(text)) => {
                    (name.to_owned(), Self::compile_path(text).map_err(|m| at((m, String::new())))?)
                }
                (Language::JsonPath, Some(_), _) => {
                    let message = format!(
                        "The value for the field '{key}' must be a STRING that contains a JSONPath but was not"
                    );
                    return Err(at((message, String::new())));
                }
                _ => (key.clone(), Self::compile(value, language).map_err(at)?),
            };
            fields.push((name, template));
        }
        Ok(Self::Object(fields).settled())
    }

    /// Turns a template without expressions into a literal.
    fn settled(self) -> Self {
        let literal = |t: &Template| match t {
            Template::Literal(v) => Some(v.clone()),
            _ => None,
        };
        let value = match &self {
            Self::Object(fields) => {
                let map: Option<Map<_, _>> =
                    fields.iter().map(|(k, t)| Some((k.clone(), literal(t)?))).collect();
                map.map(Value::Object)
            }
            Self::Array(items) => items.iter().map(literal).collect::<Option<Vec<_>>>().map(Value::Array),
            _ => None,
        };
        value.map_or(self, Self::Literal)
    }

    /// A string of a JSONata state: an expression between `{%` and `%}`, or itself.
    pub(crate) fn compile_jsonata(text: &str) -> Result<Self, (String, String)> {
        match Expression::inside(text) {
            None => Ok(Self::Literal(Value::String(text.to_owned()))),
            Some(Ok(source)) => {
                let expression = Expression::compile(source).map_err(|m| (m, String::new()))?;
                Ok(Self::Jsonata(Arc::new(expression)))
            }
            Some(Err(message)) => Err((message, String::new())),
        }
    }

    /// A path, a variable or an intrinsic function of a JSONPath state.
    pub(crate) fn compile_path(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            return Path::parse(text).map(Self::Path);
        }
        if text.starts_with("States.") {
            return intrinsic::Call::parse(text).map(Self::Intrinsic);
        }
        Err(format!("The value '{text}' is neither a JSONPath nor an intrinsic function"))
    }

    /// Evaluates everything below `field`.
    pub(crate) fn evaluate(&self, scope: &Scope<'_>, field: &str) -> Result<Value, QueryError> {
        if let Self::Literal(value) = self {
            return Ok(value.clone());
        }
        let session = std::cell::OnceCell::new();
        self.walk(scope, field, &session)
    }

    fn walk<'a>(
        &self,
        scope: &'a Scope<'a>,
        field: &str,
        session: &std::cell::OnceCell<jsonata::Session<'a>>,
    ) -> Result<Value, QueryError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Object(fields) => {
                let mut map = Map::with_capacity(fields.len());
                for (key, template) in fields {
                    let dollar = matches!(template, Self::Path(_) | Self::Intrinsic(_));
                    let below = match dollar {
                        true => format!("{key}.$"),
                        false => format!("{field}/{key}"),
                    };
                    map.insert(key.clone(), template.walk(scope, &below, session)?);
                }
                Ok(Value::Object(map))
            }
            Self::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, t)| t.walk(scope, &format!("{field}[{i}]"), session))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Self::Jsonata(expression) => {
                session.get_or_init(|| jsonata::Session::new(scope)).evaluate(expression, field)
            }
            Self::Path(path) => path.find(scope).ok_or_else(|| path.missing(scope, field)),
            Self::Intrinsic(call) => call.evaluate(scope, field),
        }
    }

    /// The source text of a single expression, for messages.
    pub(crate) fn source(&self) -> String {
        match self {
            Self::Jsonata(e) => e.source().to_owned(),
            Self::Path(p) => p.text().to_owned(),
            Self::Literal(v) => v.to_string(),
            Self::Intrinsic(c) => c.text().to_owned(),
            Self::Object(_) | Self::Array(_) => String::new(),
        }
    }

    /// Whether nothing has to be computed.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }
}
