//! Reference paths and JSONPath as definitions use them. A grammar of our own, because field names such as
//! `detail-type` are legal after a dot here and are not in RFC 9535.
use super::filter::Test;
use super::{QueryError, Scope};
use serde_json::Value;

/// Filters and parentheses inside filters; each costs stack while it is parsed.
const MAX_FILTERS: usize = 16;

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Field(String),
    Index(i64),
    Every,
    Slice(Option<i64>, Option<i64>, i64),
    Several(Vec<Step>),
    Descend(Box<Step>),
    Filter(Test),
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    text: String,
    root: Root,
    steps: Vec<Step>,
}

impl Path {
    /// Parses a path; the message says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        let path = parser.root().and_then(|root| Ok((root, parser.steps()?)));
        match path {
            Ok((root, steps)) if parser.rest.is_empty() => Ok(Self { text: text.to_owned(), root, steps }),
            _ => Err("Value is not a valid JSONPath".to_owned()),
        }
    }

    /// As written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it starts from.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// The field names, if the path has nothing else: what `ResultPath` may be.
    pub(crate) fn fields(&self) -> Option<Vec<String>> {
        self.steps.iter().map(|s| if let Step::Field(name) = s { Some(name.clone()) } else { None }).collect()
    }

    /// Whether the path names one place (a reference path).
    pub(crate) fn is_definite(&self) -> bool {
        self.steps.iter().all(|s| matches!(s, Step::Field(_) | Step::Index(_)))
    }

    /// The value it names; all values as an array if the path can name several; `None` if a single one is absent.
    pub(crate) fn find(&self, scope: &Scope<'_>) -> Option<Value> {
        match &self.root {
            Root::Input => self.find_in(scope.input),
            Root::Context => self.find_in(&(scope.context)()),
            Root::Variable(name) => scope.variables.get(name).and_then(|v| self.find_in(v)),
        }
    }

    /// The same below a given value.
    pub(crate) fn find_in(&self, value: &Value) -> Option<Value> {
        let mut found = vec![value];
        for step in &self.steps {
            found = found.into_iter().flat_map(|v| step.apply(v)).collect();
        }
        match self.is_definite() {
            true => found.first().map(|v| (*v).clone()),
            false => Some(Value::Array(found.into_iter().cloned().collect())),
        }
    }

    /// The error for a payload template's field.
    pub(crate) fn missing(&self, scope: &Scope<'_>, field: &str) -> QueryError {
        let input = match &self.root {
            Root::Context => (scope.context)(),
            _ => scope.input.clone(),
        };
        QueryError::runtime(format!(
            "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{input}'",
            self.text
        ))
    }

    /// The error for `InputPath`, `OutputPath` and their like.
    pub(crate) fn no_results(&self) -> QueryError {
        let normal: String = self.steps.iter().map(Step::normal).collect();
        QueryError::runtime(format!("Invalid path '{}' : No results for path: ${normal}", self.text))
    }
}

impl Step {
    fn normal(&self) -> String {
        match self {
            Self::Field(name) => format!("['{name}']"),
            Self::Index(i) => format!("[{i}]"),
            Self::Every => "[*]".to_owned(),
            Self::Slice(a, b, _) => {
                let show = |n: &Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
                format!("[{}:{}]", show(a), show(b))
            }
            Self::Several(steps) => {
                let inner: Vec<String> =
                    steps.iter().map(|s| s.normal().trim_matches(['[', ']']).to_owned()).collect();
                format!("[{}]", inner.join(","))
            }
            Self::Descend(step) => format!("..{}", step.normal()),
            Self::Filter(_) => "[?]".to_owned(),
        }
    }

    pub(super) fn apply<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(map)) => map.get(name).into_iter().collect(),
            (Self::Index(i), Value::Array(list)) => {
                position(*i, list.len()).and_then(|i| list.get(i)).into_iter().collect()
            }
            (Self::Every, Value::Array(list)) => list.iter().collect(),
            (Self::Every, Value::Object(map)) => map.values().collect(),
            (Self::Slice(from, to, step), Value::Array(list)) => slice(list, *from, *to, *step),
            (Self::Several(steps), _) => steps.iter().flat_map(|s| s.apply(value)).collect(),
            (Self::Descend(step), _) => descend(step, value),
            // As documented, `@` matches objects only.
            (Self::Filter(test), Value::Array(list)) => {
                list.iter().filter(|v| v.is_object() && test.holds(v)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok()
}

fn slice(list: &[Value], from: Option<i64>, to: Option<i64>, step: i64) -> Vec<&Value> {
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let clamp = |n: i64| (if n < 0 { n + length } else { n }).clamp(0, length);
    let (from, to) = (clamp(from.unwrap_or(0)), clamp(to.unwrap_or(length)));
    let every = usize::try_from(step).unwrap_or(1).max(1);
    (from..to).step_by(every).filter_map(|i| list.get(usize::try_from(i).ok()?)).collect()
}

fn descend<'v>(step: &Step, value: &'v Value) -> Vec<&'v Value> {
    let mut found = step.apply(value);
    let inner: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    };
    found.extend(inner.into_iter().flat_map(|v| descend(step, v)));
    found
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn root(&mut self) -> Result<Root, ()> {
        if self.eat("$$") {
            return Ok(Root::Context);
        }
        if !self.eat("$") {
            return Err(());
        }
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        Ok(if name.is_empty() { Root::Input } else { Root::Variable(name.to_owned()) })
    }

    fn steps(&mut self) -> Result<Vec<Step>, ()> {
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&mut self) -> Result<Option<Step>, ()> {
        if self.eat("..") {
            let inner = if self.rest.starts_with('[') { self.step()?.ok_or(())? } else { self.name()? };
            return Ok(Some(Step::Descend(Box::new(inner))));
        }
        if self.eat(".") {
            return if self.rest.starts_with('[') { self.step() } else { self.name().map(Some) };
        }
        if self.eat("[") { self.bracket().map(Some) } else { Ok(None) }
    }

    fn name(&mut self) -> Result<Step, ()> {
        if self.eat("*") {
            return Ok(Step::Every);
        }
        let name = self.take_while(|c| {
            !matches!(c, '.' | '[' | ']' | '(' | ')' | ',' | ' ' | '=' | '<' | '>' | '!' | '\'' | '"')
        });
        if name.is_empty() { Err(()) } else { Ok(Step::Field(name.to_owned())) }
    }

    fn bracket(&mut self) -> Result<Step, ()> {
        if self.eat("?(") {
            return self.filter();
        }
        let mut found = vec![self.selector()?];
        loop {
            self.spaces();
            if self.eat("]") {
                return Ok(if found.len() == 1 { found.remove(0) } else { Step::Several(found) });
            }
            if !self.eat(",") {
                return Err(());
            }
            found.push(self.selector()?);
        }
    }

    fn spaces(&mut self) {
        self.take_while(|c| c == ' ');
    }

    fn selector(&mut self) -> Result<Step, ()> {
        self.spaces();
        if self.eat("*") {
            return Ok(Step::Every);
        }
        if let Some(text) = self.quoted()? {
            return Ok(Step::Field(text));
        }
        let first = self.integer()?;
        if !self.eat(":") {
            return first.map(Step::Index).ok_or(());
        }
        let last = self.integer()?;
        let step = if self.eat(":") { self.integer()?.unwrap_or(1) } else { 1 };
        if step < 1 { Err(()) } else { Ok(Step::Slice(first, last, step)) }
    }

    fn quoted(&mut self) -> Result<Option<String>, ()> {
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.push(chars.next().ok_or(())?.1),
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Some(text));
                }
                c => text.push(c),
            }
        }
        Err(())
    }

    fn integer(&mut self) -> Result<Option<i64>, ()> {
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '-');
        if digits.is_empty() { Ok(None) } else { digits.parse().map(Some).map_err(|_| ()) }
    }

    /// `?(` has been eaten.
    fn filter(&mut self) -> Result<Step, ()> {
        let test = self.either()?;
        if self.eat(")") && self.eat("]") { Ok(Step::Filter(test)) } else { Err(()) }
    }

    fn either(&mut self) -> Result<Test, ()> {
        self.depth += 1;
        if self.depth > MAX_FILTERS {
            return Err(());
        }
        let mut tests = vec![self.both()?];
        while self.eat("||") {
            tests.push(self.both()?);
        }
        self.depth -= 1;
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::Any(tests) })
    }

    fn both(&mut self) -> Result<Test, ()> {
        let mut tests = vec![self.test()?];
        while self.eat("&&") {
            tests.push(self.test()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
    }

    fn test(&mut self) -> Result<Test, ()> {
        self.spaces();
        let not = self.eat("!");
        let test = if self.eat("(") {
            let inner = self.either()?;
            if !self.eat(")") {
                return Err(());
            }
            inner
        } else {
            self.comparison()?
        };
        self.spaces();
        Ok(if not { Test::Not(Box::new(test)) } else { test })
    }

    fn comparison(&mut self) -> Result<Test, ()> {
        self.spaces();
        if !self.eat("@") {
            return Err(());
        }
        let path = self.steps()?;
        self.spaces();
        let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|o| self.eat(o));
        self.spaces();
        let operation = match operator {
            None => None,
            Some(o) => Some((o.to_owned(), self.literal()?)),
        };
        Ok(Test::Value(path, operation))
    }

    fn literal(&mut self) -> Result<Value, ()> {
        if let Some(text) = self.quoted()? {
            return Ok(Value::String(text));
        }
        serde_json::from_str(self.take_while(|c| !matches!(c, ')' | ' ' | '&' | '|'))).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn find(path: &str, value: &Value) -> Option<Value> {
        Path::parse(path).unwrap().find_in(value)
    }

    #[test]
    fn paths_find_what_they_name() {
        let value = json!({"a": [{"b-c": 1, "d": "x"}, {"b-c": 2, "d": "y"}], "e.f": 3});
        assert_eq!(find("$.a[0].b-c", &value), Some(json!(1)));
        assert_eq!(find("$['e.f']", &value), Some(json!(3)));
        assert_eq!(find("$.a[-1].d", &value), Some(json!("y")));
        assert_eq!(find("$.a[*].b-c", &value), Some(json!([1, 2])));
        assert_eq!(find("$..d", &value), Some(json!(["x", "y"])));
        assert_eq!(find("$.a[1:]", &value), Some(json!([{"b-c": 2, "d": "y"}])));
        assert_eq!(find("$.a[?(@.d == 'y')].b-c", &value), Some(json!([2])));
        assert_eq!(find("$.a[9]", &value), None);
        assert_eq!(find("$.a[9:]", &value), Some(json!([])));
    }

    #[test]
    fn filters_join_tests_by_symbols_and_match_objects() {
        let value = json!([{"n": 1, "k": "a"}, {"n": 2, "k": "b"}, {"n": 3}, 4, [5]]);
        let numbers = |test: &str| find(&format!("$[?({test})].n"), &value);
        assert_eq!(numbers("@.n > 1 && @.k == 'b'"), Some(json!([2])));
        assert_eq!(numbers("@.n==1||@.n==3"), Some(json!([1, 3])));
        assert_eq!(numbers("@.n == 3 || @.n < 3 && @.k == 'b'"), Some(json!([2, 3])), "&& binds first");
        assert_eq!(numbers("(@.n == 3 || @.n < 3) && @.k"), Some(json!([1, 2])));
        assert_eq!(numbers("!@.k"), Some(json!([3])));
        assert_eq!(numbers("!(@.n == 1 || @.n == 2)"), Some(json!([3])));
        assert_eq!(numbers("@.k == 'a && b'"), Some(json!([])));
        assert_eq!(find("$[?(@ == 4)]", &value), Some(json!([])), "@ does not match scalars");
        // Documented as not supported: names of operators, patterns, and other values.
        for refused in ["@.n in [1]", "@.k =~ /a/", "@.n == $.n", "@.n &&", "&& @.n", "(@.n", "@.n || ", "!"]
        {
            assert!(Path::parse(&format!("$[?({refused})]")).is_err(), "{refused}");
        }
    }

    #[test]
    fn filters_inside_filters_end_somewhere() {
        assert!(Path::parse(&format!("${}", "[?(@".repeat(100_000))).is_err());
        assert!(Path::parse(&format!("$[?({}", "(".repeat(100_000))).is_err());
        assert!(Path::parse(&format!("$[?({}", "!(".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[$.@?(){}'\"a-c0-2\\[\\]:,* =\\\\é-]{0,24}") {
            for start in ["$", "$.", "$[", "States.Format(", "States.Array("] {
                let _ = crate::query::Template::compile_path(&format!("{start}{text}"));
            }
            let _ = crate::query::Template::compile_jsonata(&format!("{{% {text} %}}"));
        }
    }
}
