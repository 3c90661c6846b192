//! The functions that measure values before something multiplies them; `bounds` puts them into expressions.
use super::functions::failed;
use super::jsonata::MAX_SIZE;
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

/// Most bytes that one call of `$replace` or `$join` may have to write.
const MAX_PRODUCT: usize = 16 << 20;
/// Widest text that `$pad` makes.
const MAX_WIDTH: f64 = 1_048_576.0;
/// Largest Roman numeral: it has one letter for each thousand.
const MAX_ROMAN: f64 = 1_000_000.0;
/// Most comparisons of values for `$distinct`, which compares each item with each: 10,000 numbers or texts.
const MAX_DISTINCT: usize = 100_000_000;

/// A blank in a name keeps it out of reach of expressions.
pub(super) const SIZE: &str = "size of";
pub(super) const PRODUCT: &str = "product of";
pub(super) const WIDTH: &str = "width of";
pub(super) const ROMAN: &str = "numeral of";
pub(super) const DISTINCT: &str = "distinct of";

type Outcome = Result<JValue, EvaluatorError>;

/// Adds them to an evaluator.
pub(super) fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    evaluator.register_fn(SIZE, |args: &[JValue]| first(args, |v| size(v).map(drop)))?;
    evaluator.register_fn(DISTINCT, |args: &[JValue]| first(args, comparisons))?;
    evaluator.register_fn(WIDTH, |args: &[JValue]| first(args, |v| number(v, MAX_WIDTH)))?;
    evaluator.register_fn(PRODUCT, product)?;
    evaluator.register_fn(ROMAN, roman)
}

fn first(args: &[JValue], check: impl Fn(&JValue) -> Result<(), EvaluatorError>) -> Outcome {
    let value = args.first().unwrap_or(&JValue::Undefined);
    check(value).map(|()| value.clone())
}

/// Values and bytes of text within a value, each as often as it is referred to.
fn size(value: &JValue) -> Result<usize, EvaluatorError> {
    let (mut found, mut left) = (0, vec![value]);
    while let Some(value) = left.pop() {
        found += value.as_str().map_or(1, |text| text.len().max(1));
        match value {
            JValue::Array(items) => left.extend(items.iter()),
            JValue::Object(map) => left.extend(map.values()),
            _ => {}
        }
        if found + left.len() > MAX_SIZE {
            return Err(failed(format!("a value holds at most {MAX_SIZE} values and bytes of text")));
        }
    }
    Ok(found)
}

fn comparisons(value: &JValue) -> Result<(), EvaluatorError> {
    let items = value.as_array().map_or(0, Vec::len);
    let values = value.as_array().map_or(Ok(0), |items| items.iter().map(small).sum::<Result<usize, _>>())?;
    match items.saturating_mul(values) > MAX_DISTINCT {
        true => Err(failed(format!("$distinct compares at most {MAX_DISTINCT} values, found {items} items"))),
        false => Ok(()),
    }
}

/// As [`size`], but a text is one value: texts mostly differ early.
fn small(value: &JValue) -> Result<usize, EvaluatorError> {
    if value.as_str().is_some() { Ok(1) } else { size(value) }
}

fn number(value: &JValue, most: f64) -> Result<(), EvaluatorError> {
    match value.as_f64() {
        Some(n) if n.abs() > most => Err(failed(format!("a number is at most {most} here, found {n}"))),
        _ => Ok(()),
    }
}

/// The first argument, if it could be repeated for the second (or the second for it).
fn product(args: &[JValue]) -> Outcome {
    let value = args.first().unwrap_or(&JValue::Undefined);
    let by = args.get(1).and_then(JValue::as_str).map_or(1, |text| text.len().max(1));
    if size(value)?.saturating_mul(by) > MAX_PRODUCT {
        return Err(failed(format!("a text has at most {MAX_PRODUCT} bytes here")));
    }
    Ok(value.clone())
}

fn roman(args: &[JValue]) -> Outcome {
    let picture = args.get(1).and_then(JValue::as_str).unwrap_or_default();
    let most = if picture.starts_with(['i', 'I']) { MAX_ROMAN } else { f64::MAX };
    first(args, |v| number(v, most))
}
