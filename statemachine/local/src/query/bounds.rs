//! Keeps one step of an evaluation small. The library looks at the clock and at the length of sequences between steps;
//! what a single function or operator makes out of its arguments it does not limit, and running out of memory ends the
//! process. So the arguments of those that multiply are measured first, by functions that no expression can name.
use super::measure::{DISTINCT, PRODUCT, ROMAN, SIZE, WIDTH};
use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use std::collections::BTreeSet;

/// Functions whose arguments are measured, with the number of their parameters.
const MEASURED: [(&str, usize); 10] = [
    ("pad", 3),
    ("replace", 4),
    ("join", 2),
    ("string", 1),
    ("split", 3),
    ("distinct", 1),
    ("formatInteger", 2),
    ("base64encode", 1),
    ("encodeUrl", 1),
    ("encodeUrlComponent", 1),
];

/// Puts the measuring functions where `source`, parsed as `ast`, could grow. `variables` are not functions.
pub(super) fn guard<'a>(source: &str, ast: &mut AstNode, variables: impl Iterator<Item = &'a String>) {
    let repeats = repeats(source);
    let mut own = bound(ast);
    own.extend(variables.cloned());
    let mut left = vec![ast];
    while let Some(node) = left.pop() {
        unchain(node);
        named(node, &own);
        match node {
            AstNode::Function { name, args, .. } => {
                spell_out(name, args);
                call(name, args);
            }
            AstNode::Binary { op, lhs, rhs } if repeats && reads_whole(*op, lhs, rhs) => {
                wrap(lhs, SIZE, None);
                wrap(rhs, SIZE, None);
            }
            AstNode::Array(items) if repeats => items.iter_mut().for_each(part),
            AstNode::Object(pairs) if repeats => pairs.iter_mut().for_each(|(_, value)| part(value)),
            _ => {}
        }
        children(node, &mut left);
    }
}

/// Whether a result can become the argument of what made it. It takes a name for it, `$reduce`, or a function that is
/// given a function; without, an expression has to write down each of its copies.
fn repeats(source: &str) -> bool {
    let functions = source.matches("function").count() + source.matches('λ').count();
    functions > 1 || source.contains(":=") || source.contains("$reduce")
}

/// Measures what is put into an array or an object, unless it is one itself: its parts are measured then.
fn part(node: &mut AstNode) {
    let own = matches!(
        node,
        AstNode::Array(_)
            | AstNode::ArrayGroup(_)
            | AstNode::Object(_)
            | AstNode::Binary { op: BinaryOp::Range, .. }
    );
    if !own {
        wrap(node, SIZE, None);
    }
}

/// Names that an expression gives itself, by an assignment or as a parameter.
fn bound(ast: &mut AstNode) -> BTreeSet<String> {
    let (mut names, mut left) = (BTreeSet::new(), vec![ast]);
    while let Some(node) = left.pop() {
        match node {
            AstNode::Lambda { params, .. } => names.extend(params.iter().cloned()),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
                if let AstNode::Variable(name) = &**lhs {
                    names.insert(name.clone());
                }
            }
            AstNode::Path { steps } => {
                names.extend(steps.iter().flat_map(|s| [&s.focus, &s.index_var]).flatten().cloned())
            }
            _ => {}
        }
        children(node, &mut left);
    }
    names
}

/// Replaces the name of a measured function, where it is not called, by a function that calls it.
fn named(node: &mut AstNode, own: &BTreeSet<String>) {
    let AstNode::Variable(name) = node else { return };
    let Some((_, parameters)) = MEASURED.iter().find(|(measured, _)| measured == name) else { return };
    if own.contains(name) {
        return;
    }
    let params: Vec<String> = (0..*parameters).map(|i| format!("argument {i}")).collect();
    let args = params.iter().cloned().map(AstNode::Variable).collect();
    let body = Box::new(AstNode::Function { name: std::mem::take(name), args, is_builtin: true });
    *node = AstNode::Lambda { params, body, signature: None, thunk: false };
}

/// Whether an operator goes through all of its operands, however often they refer to themselves.
fn reads_whole(op: BinaryOp, lhs: &AstNode, rhs: &AstNode) -> bool {
    match op {
        BinaryOp::Concatenate => true,
        BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In => !(literal(lhs) || literal(rhs)),
        _ => false,
    }
}

fn literal(node: &AstNode) -> bool {
    use AstNode::{Boolean, Lambda, Null, Number, Placeholder, Regex, String, Undefined};
    matches!(
        node,
        Boolean(_) | Null | Number(_) | Placeholder | Regex { .. } | String(_) | Undefined | Lambda { .. }
    )
}

/// Whether calls of a function of this name are measured.
pub(super) fn measured(name: &str) -> bool {
    MEASURED.iter().any(|(measured, _)| *measured == name)
}

/// Makes `x ~> $f(y)` the call `$f(x, y)` that it means, for the functions measured here.
fn unchain(node: &mut AstNode) {
    let AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } = node else { return };
    let AstNode::Function { name, args, .. } = &mut **rhs else { return };
    if !measured(name) || args.contains(&AstNode::Placeholder) {
        return;
    }
    let value = std::mem::replace(&mut **lhs, AstNode::Null);
    let (name, rest) = (std::mem::take(name), std::mem::take(args));
    let args = std::iter::once(value).chain(rest).collect();
    *node = AstNode::Function { name, args, is_builtin: true };
}

/// Writes the `$` that `$encodeUrl()` leaves out: a function of ours is not told it.
fn spell_out(name: &str, args: &mut Vec<AstNode>) {
    if name == "encodeUrl" && args.is_empty() {
        args.push(AstNode::Variable(String::new()));
    }
}

fn call(name: &str, args: &mut [AstNode]) {
    match name {
        "pad" => args.iter_mut().for_each(|arg| wrap(arg, WIDTH, None)),
        "distinct" => args.iter_mut().for_each(|arg| wrap(arg, DISTINCT, None)),
        "formatInteger" => beside(args, ROMAN, 1),
        // Without its first argument it works on `$`.
        "replace" if args.len() == 2 => wrap(&mut args[1], PRODUCT, Some(AstNode::Variable(String::new()))),
        "replace" => beside(args, PRODUCT, 2),
        "join" => beside(args, PRODUCT, 1),
        "string" | "split" | "base64encode" | "encodeUrl" | "encodeUrlComponent" => {
            args.iter_mut().take(1).for_each(|arg| wrap(arg, SIZE, None));
        }
        _ => {}
    }
}

/// Measures the first argument by the one at `index`.
fn beside(args: &mut [AstNode], with: &str, index: usize) {
    let other = args.get(index).cloned().filter(|node| !matches!(node, AstNode::Placeholder));
    if let Some(value) = args.first_mut() {
        wrap(value, with, other);
    }
}

/// Puts a call of a measuring function around an argument; what is written out is only checked as a number or factor.
fn wrap(node: &mut AstNode, with: &str, other: Option<AstNode>) {
    if literal(node) && !(matches!(node, AstNode::Number(_) | AstNode::String(_)) && with != SIZE) {
        return;
    }
    let value = std::mem::replace(node, AstNode::Null);
    let args = std::iter::once(value).chain(other).collect();
    *node = AstNode::Function { name: with.to_owned(), args, is_builtin: true };
}

/// Adds what is directly below a node.
fn children<'a>(node: &'a mut AstNode, left: &mut Vec<&'a mut AstNode>) {
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                left.push(&mut step.node);
                left.extend(step.stages.iter_mut().filter_map(|stage| match stage {
                    Stage::Filter(filter) => Some(&mut **filter),
                    Stage::KeepArray | Stage::Index(_) => None,
                }));
            }
        }
        AstNode::Binary { lhs, rhs, .. } => left.extend([&mut **lhs, &mut **rhs]),
        AstNode::Unary { operand: inner, .. }
        | AstNode::Lambda { body: inner, .. }
        | AstNode::FunctionApplication(inner) => left.push(inner),
        AstNode::Call { procedure, args } => {
            left.push(procedure);
            left.extend(args);
        }
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::Block(nodes)
        | AstNode::ArrayGroup(nodes) => left.extend(nodes),
        AstNode::Object(pairs) => left.extend(pairs.iter_mut().flat_map(|(k, v)| [k, v])),
        AstNode::ObjectTransform { input, pattern } => {
            left.push(input);
            left.extend(pattern.iter_mut().flat_map(|(k, v)| [k, v]));
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            left.extend([&mut **condition, &mut **then_branch]);
            left.extend(else_branch.as_deref_mut());
        }
        AstNode::Sort { input, terms } => {
            left.push(input);
            left.extend(terms.iter_mut().map(|(term, _)| term));
        }
        AstNode::Transform { location, update, delete } => {
            left.extend([&mut **location, &mut **update]);
            left.extend(delete.as_deref_mut());
        }
        _ => {}
    }
}
