//! JSONata expressions: parsed once, evaluated with `$states` and the variables bound.
use super::{Entropy, QueryError, Scope, bounds, functions, measure};
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Nesting at which an expression is stopped; runaway recursion would otherwise eat memory, not fail.
const MAX_DEPTH: usize = 5_000;
/// Longest sequence an expression may build: no state can be given more items than the 262,144 bytes of its input.
pub(super) const MAX_SEQUENCE: usize = 262_144;
/// Milliseconds after which an evaluation is stopped: an expression may loop for ever.
const MAX_MILLISECONDS: u64 = 5_000;

/// Most values and bytes of text that an expression may return, far above what a state may pass on: a value that
/// refers to itself many times over takes no room here and all there is when it is written.
pub(super) const MAX_SIZE: usize = 4 << 20;

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
        let ast = parse(source, std::iter::empty())?;
        Ok(Self { source: source.to_owned(), ast, needs: Needs::of(source) })
    }

    /// As written, without the delimiters.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

fn parse<'a>(source: &str, variables: impl Iterator<Item = &'a String>) -> Result<AstNode, String> {
    let mut ast =
        jsonata_core::parser::parse(source).map_err(|e| format!("The JSONata expression is invalid: {e}"))?;
    bounds::guard(source, &mut ast, variables);
    Ok(ast)
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
        // A variable of the workflow that has the name of a function: `$string` is not the function then.
        let hidden = self.scope.variables.keys().any(|name| bounds::measured(name));
        let again = hidden.then(|| parse(expression.source(), self.scope.variables.keys()));
        let again = again.transpose().map_err(|m| QueryError::evaluation(m, field))?;
        let ast = again.as_ref().unwrap_or(&expression.ast);
        // The library has arithmetic that panics on extreme arguments. What it leaves behind is thrown away.
        let run = AssertUnwindSafe(|| evaluator.evaluate(ast, &JValue::Undefined));
        let found = catch_unwind(run).unwrap_or_else(|_| {
            bound.evaluator = None;
            Err(functions::failed("The evaluator failed at an argument out of range"))
        });
        let told = |what: &str| {
            let source = expression.source();
            QueryError::evaluation(
                format!("The JSONata expression '{source}' specified for the field '{field}' {what}"),
                field,
            )
        };
        match found {
            Ok(JValue::Undefined) => Err(told("returned nothing (undefined).")),
            Ok(value) => {
                presentable(&value, MAX_NESTING, &mut { MAX_SIZE }).map_err(|what| told(&what))?;
                serde_json::to_value(&value).map_err(|e| told(&format!("could not be converted: {e}")))
            }
            Err(e) => Err(told(&format!("threw an error during evaluation. {}", e.message()))),
        }
    }
}

/// Whether a value can be written as JSON; `Err` says what is wrong with it.
pub(super) fn presentable(value: &JValue, deeper: usize, room: &mut usize) -> Result<(), String> {
    let size = value.as_str().map_or(1, |text| text.len().max(1));
    *room = room.checked_sub(size).ok_or("returned a value that is too large.")?;
    let below =
        || deeper.checked_sub(1).ok_or(format!("returned a value nested more than {MAX_NESTING} deep."));
    match value {
        JValue::Number(n) if !n.is_finite() => Err("returned a number out of range.".to_owned()),
        JValue::Array(items) => {
            let below = below()?;
            items.iter().try_for_each(|v| presentable(v, below, room))
        }
        JValue::Object(map) => {
            let below = below()?;
            map.values().try_for_each(|v| presentable(v, below, room))
        }
        v if v.is_function() || v.is_regex() => Err("returned an unsupported result type.".to_owned()),
        _ => Ok(()),
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
    measure::register(&mut evaluator).map_err(|e| e.message().to_owned())?;
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
