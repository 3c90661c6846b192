//! JSONata expressions: parsed once, evaluated with `$states` and the variables bound.
use super::{Entropy, QueryError, Scope, functions};
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;
use std::cell::RefCell;

/// Nesting at which an expression is stopped; runaway recursion would otherwise eat memory, not fail.
const MAX_DEPTH: usize = 5_000;
/// Longest sequence an expression may build; twice what a Map without a reader could ever hold in 256 KiB.
const MAX_SEQUENCE: usize = 1_000_000;
/// Milliseconds after which an evaluation is stopped: an expression may loop for ever.
const MAX_MILLISECONDS: u64 = 10_000;

/// Deepest value that an expression may return: what is stored has to be read again, and the reader stops at 128.
const MAX_NESTING: usize = 100;

/// One parsed expression.
#[derive(Debug)]
pub(crate) struct Expression {
    source: String,
    ast: AstNode,
    needs: Needs,
}

/// Which members of `$states` an expression could touch; converting a large input for nothing is what costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    input: bool,
    context: bool,
}

impl Needs {
    /// Looks at every mention of `$states`; one without a plain member after it counts as all of them.
    fn of(source: &str) -> Self {
        let mut needs = Self { input: false, context: false };
        for (at, _) in source.match_indices("$states") {
            let rest = source[at + "$states".len()..].trim_start();
            let member = rest.strip_prefix('.').map(str::trim_start).unwrap_or_default();
            let is = |name: &str| member.starts_with(name);
            needs.input |= !(is("context") || is("result") || is("errorOutput"));
            needs.context |= !(is("input") || is("result") || is("errorOutput"));
        }
        needs
    }
}

impl Expression {
    /// The text between `{%` and `%}`; `None` if `text` is no expression at all.
    pub(crate) fn inside(text: &str) -> Option<Result<&str, String>> {
        let body = text.strip_prefix("{%");
        let both = body.and_then(|b| b.strip_suffix("%}"));
        match (body, both) {
            (_, Some(source)) => Some(Ok(source.trim())),
            (None, None) if !text.ends_with("%}") => None,
            _ => Some(Err("The JSONata expression is not delimited by '{%' and '%}'".to_owned())),
        }
    }

    /// Parses the text between the delimiters.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let ast = jsonata_core::parser::parse(source)
            .map_err(|e| format!("The JSONata expression is invalid: {e}"))?;
        Ok(Self { source: source.to_owned(), ast, needs: Needs::of(source) })
    }

    /// As written, without the delimiters.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

/// One evaluator for all expressions of a template, so that the input is converted once.
pub(crate) struct Session<'a> {
    scope: &'a Scope<'a>,
    state: RefCell<Bound>,
}

struct Bound {
    evaluator: Option<Evaluator>,
    needs: Needs,
}

impl<'a> Session<'a> {
    /// Nothing is converted before an expression needs it.
    pub(crate) fn new(scope: &'a Scope<'a>) -> Self {
        let bound = Bound { evaluator: None, needs: Needs { input: false, context: false } };
        Self { scope, state: RefCell::new(bound) }
    }

    /// Evaluates one expression for a field.
    pub(crate) fn evaluate(&self, expression: &Expression, field: &str) -> Result<Value, QueryError> {
        let mut bound = self.state.borrow_mut();
        let wanted = Needs {
            input: bound.needs.input || expression.needs.input,
            context: bound.needs.context || expression.needs.context,
        };
        if bound.evaluator.is_none() || bound.needs != wanted {
            let evaluator = prepare(self.scope, wanted).map_err(|m| QueryError::evaluation(m, field))?;
            *bound = Bound { evaluator: Some(evaluator), needs: wanted };
        }
        let Some(evaluator) = bound.evaluator.as_mut() else {
            return Err(QueryError::evaluation("No evaluator could be made".to_owned(), field));
        };
        let found = evaluator.evaluate(&expression.ast, &JValue::Undefined);
        let told = |what: &str| {
            let source = expression.source();
            QueryError::evaluation(
                format!("The JSONata expression '{source}' specified for the field '{field}' {what}"),
                field,
            )
        };
        match found {
            Ok(JValue::Undefined) => Err(told("returned nothing (undefined).")),
            Ok(value) if value.is_function() || value.is_regex() => {
                Err(told("returned an unsupported result type."))
            }
            Ok(value) if deeper(&value, MAX_NESTING) => {
                Err(told(&format!("returned a value nested more than {MAX_NESTING} deep.")))
            }
            Ok(value) => {
                serde_json::to_value(&value).map_err(|e| told(&format!("could not be converted: {e}")))
            }
            Err(e) => Err(told(&format!("threw an error during evaluation. {}", e.message()))),
        }
    }
}

fn deeper(value: &JValue, left: usize) -> bool {
    match value {
        JValue::Array(items) => left == 0 || items.iter().any(|v| deeper(v, left - 1)),
        JValue::Object(map) => left == 0 || map.values().any(|v| deeper(v, left - 1)),
        _ => false,
    }
}

fn prepare(scope: &Scope<'_>, needs: Needs) -> Result<Evaluator, String> {
    let mut context = Context::new();
    context.bind("states".to_owned(), states(scope, needs));
    for (name, value) in scope.variables {
        context.bind(name.clone(), JValue::from(value.clone()));
    }
    evaluator(context, scope.entropy)
}

/// An evaluator with the limits and the functions that every expression has here.
pub(super) fn evaluator(context: Context, entropy: &Entropy) -> Result<Evaluator, String> {
    let options = EvaluatorOptions {
        timeout_ms: Some(MAX_MILLISECONDS),
        max_stack_depth: Some(MAX_DEPTH),
        max_sequence_length: Some(MAX_SEQUENCE),
        ..EvaluatorOptions::default()
    };
    let mut evaluator = Evaluator::with_options(context, options);
    functions::register(&mut evaluator, entropy).map_err(|e| e.message().to_owned())?;
    Ok(evaluator)
}

fn states(scope: &Scope<'_>, needs: Needs) -> JValue {
    let mut states = indexmap::IndexMap::new();
    if needs.input {
        states.insert("input".to_owned(), JValue::from(scope.input.clone()));
    }
    if let Some(result) = scope.result {
        states.insert("result".to_owned(), JValue::from(result.clone()));
    }
    if let Some(error) = scope.error {
        states.insert("errorOutput".to_owned(), JValue::from(error.clone()));
    }
    if needs.context {
        states.insert("context".to_owned(), JValue::from((scope.context)()));
    }
    JValue::object(states)
}
