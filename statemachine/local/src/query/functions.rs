//! The functions that Step Functions adds to JSONata: `$parse`, `$partition`, `$range`, `$hash`, `$random`, `$uuid`.
use super::Entropy;
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Items that `$range` and `States.ArrayRange` may make at most.
pub(crate) const MAX_RANGE: usize = 1_000;

type Outcome = Result<JValue, EvaluatorError>;

/// An error without a code of the language.
pub(super) fn failed(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

/// Adds them to an evaluator, and takes away `$eval`, which the service does not offer.
pub(crate) fn register(evaluator: &mut Evaluator, entropy: &Entropy) -> Result<(), EvaluatorError> {
    evaluator.register_fn("parse", parse)?;
    evaluator.register_fn("partition", partition)?;
    evaluator.register_fn("range", range)?;
    evaluator.register_fn("hash", hash)?;
    evaluator.register_fn_override("encodeUrl", encode_url)?;
    let source = entropy.clone();
    evaluator.register_fn("uuid", move |_: &[JValue]| Ok(JValue::from(uuid(&source))))?;
    let source = entropy.clone();
    evaluator.register_fn_override("random", move |args: &[JValue]| random(args, &source))?;
    evaluator
        .register_fn_override("eval", |_: &[JValue]| -> Outcome { Err(failed("$eval is not supported")) })
}

/// A random UUID, version 4.
pub(crate) fn uuid(entropy: &Entropy) -> String {
    let bytes: [u8; 16] = with(entropy, |rng| rng.random());
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Runs `f` with the generator; a poisoned lock only means that another evaluation was cancelled meanwhile.
pub(crate) fn with<T>(entropy: &Entropy, f: impl FnOnce(&mut StdRng) -> T) -> T {
    let mut rng = entropy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    f(&mut rng)
}

fn parse(args: &[JValue]) -> Outcome {
    match args.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(JValue::String(text)) => {
            JValue::from_json_str(text).map_err(|e| failed(format!("$parse: the text is not JSON: {e}")))
        }
        Some(_) => Err(failed("$parse expects a string")),
    }
}

fn whole(args: &[JValue], index: usize, function: &str) -> Result<i64, EvaluatorError> {
    let number = args.get(index).and_then(JValue::as_f64);
    number
        .filter(|n| n.is_finite())
        .map(|n| n.round() as i64)
        .ok_or_else(|| failed(format!("{function} expects a number as argument {}", index + 1)))
}

fn partition(args: &[JValue]) -> Outcome {
    let Some(items) = args.first().and_then(JValue::as_array) else {
        return match args.first() {
            None | Some(JValue::Undefined) => Ok(JValue::Undefined),
            Some(one) => Ok(JValue::array(vec![JValue::array(vec![one.clone()])])),
        };
    };
    let size = usize::try_from(whole(args, 1, "$partition")?).ok().filter(|s| *s > 0);
    let size = size.ok_or_else(|| failed("$partition expects a positive size"))?;
    Ok(JValue::array(items.chunks(size).map(|c| JValue::array(c.to_vec())).collect()))
}

fn range(args: &[JValue]) -> Outcome {
    let numbers = arithmetic(whole(args, 0, "$range")?, whole(args, 1, "$range")?, whole(args, 2, "$range")?);
    let numbers = numbers.map_err(failed)?;
    // A sequence, as recorded: one of a single number is that number.
    Ok(JValue::sequence(numbers.into_iter().map(JValue::from_i64).collect()))
}

/// The numbers from `first` to `last` (inclusive) by `step`, at most [`MAX_RANGE`].
pub(crate) fn arithmetic(first: i64, last: i64, step: i64) -> Result<Vec<i64>, String> {
    if step == 0 {
        return Err("the step of a range must not be 0".to_owned());
    }
    let (first, last, step) = (i128::from(first), i128::from(last), i128::from(step));
    let count = ((last - first) / step + 1).max(0);
    let reachable = (last - first) * step >= 0;
    if reachable && count > MAX_RANGE as i128 {
        return Err(format!("a range holds at most {MAX_RANGE} items, found {count}"));
    }
    let count = if reachable { count } else { 0 };
    Ok((0..count).map(|i| (first + i * step) as i64).collect())
}

fn hash(args: &[JValue]) -> Outcome {
    let Some(data) = args.first().and_then(JValue::as_str) else {
        return Err(failed("$hash expects a string as argument 1"));
    };
    let algorithm = args.get(1).and_then(JValue::as_str).unwrap_or("SHA-256");
    digest(data, algorithm).map(JValue::from).map_err(failed)
}

/// The lower-case hexadecimal digest of a text.
pub(crate) fn digest(data: &str, algorithm: &str) -> Result<String, String> {
    use sha2::Digest;
    let bytes: Vec<u8> = match algorithm {
        "MD5" => md5::Md5::digest(data).to_vec(),
        "SHA-1" => sha1::Sha1::digest(data).to_vec(),
        "SHA-256" => sha2::Sha256::digest(data).to_vec(),
        "SHA-384" => sha2::Sha384::digest(data).to_vec(),
        "SHA-512" => sha2::Sha512::digest(data).to_vec(),
        other => {
            return Err(format!(
                "unknown algorithm \"{other}\", expected MD5, SHA-1, SHA-256, SHA-384 or SHA-512"
            ));
        }
    };
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// As JavaScript's `encodeURI`; the library leaves blanks and percent signs as they are.
fn encode_url(args: &[JValue]) -> Outcome {
    match args {
        [] | [JValue::Undefined] => Ok(JValue::Undefined),
        [JValue::String(text)] => Ok(JValue::from(text.bytes().map(encode).collect::<String>())),
        _ => Err(failed("T0410: Argument 1 of function encodeUrl does not match function signature")),
    }
}

fn encode(byte: u8) -> String {
    const PLAIN: &[u8] = b";,/?:@&=+$-_.!~*'()#";
    match byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    }
}

fn random(args: &[JValue], entropy: &Entropy) -> Outcome {
    let number: f64 = match args.first().and_then(JValue::as_f64) {
        Some(seed) => StdRng::seed_from_u64(seed.to_bits()).random(),
        None => with(entropy, |rng| rng.random()),
    };
    Ok(JValue::from_f64(number))
}
