//! Takes the queries of URLs out: a request may name a URL with its signature, and then it stands in the input for good. A pack
//! is given away.

use serde_json::Value;

/// What stands in a query's place, as everywhere here.
const LEFT_OUT: &str = "…";
/// A query is taken out wherever it stands, unless it is so short that it may stand there by chance; behind a `?` it is always.
const LONG: usize = 16;

/// Knows the queries of one input.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    queries: Vec<String>,
}

impl Redactor {
    /// Of all URLs in an input, whether they are well-formed or not.
    pub(crate) fn of(input: &str) -> Self {
        let mut queries = Vec::new();
        collect(&serde_json::from_str(input).unwrap_or_default(), &mut queries);
        queries.sort_by_key(|query: &String| std::cmp::Reverse(query.len()));
        queries.dedup();
        Self { queries }
    }

    /// Whether there is nothing to take out.
    pub(crate) fn is_idle(&self) -> bool {
        self.queries.is_empty()
    }

    /// Takes them out of all texts of a document.
    pub(crate) fn apply(&self, value: &mut Value) {
        if self.is_idle() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.apply(member)),
            _ => {}
        }
    }

    /// A text without them; `None` if it has none.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        let mut clean = text.to_owned();
        for query in &self.queries {
            clean = clean.replace(&format!("?{query}"), &format!("?{LEFT_OUT}"));
            if query.len() >= LONG {
                clean = clean.replace(query.as_str(), LEFT_OUT);
            }
        }
        clean = self.quoted(&clean).unwrap_or(clean);
        (clean != text).then_some(clean)
    }

    /// JSON in a text may write the same characters another way.
    fn quoted(&self, text: &str) -> Option<String> {
        if !text.contains('\\') || !text.starts_with(['{', '[', '"']) {
            return None;
        }
        let quoted: Value = serde_json::from_str(text).ok()?;
        let mut clean = quoted.clone();
        self.apply(&mut clean);
        (clean != quoted).then(|| clean.to_string())
    }
}

fn collect(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
            if (lower.starts_with("https://") || lower.starts_with("http://"))
                && let Some((_, query)) = text.split_once('?')
                && !query.is_empty()
                && query != LEFT_OUT
            {
                queries.push(query.to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, queries)),
        Value::Object(members) => members.values().for_each(|member| collect(member, queries)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;
    use serde_json::json;

    #[test]
    fn a_query_is_taken_out_however_it_is_written() {
        let input = r#"{"source": {"url": "https://a.example/f?sig=TOPSECRET&x=1"}}"#;
        let redactor = Redactor::of(input);
        let inner =
            json!({"Payload": {"source": {"url": "https://a.example/f?sig=TOPSECRET&x=1"}}}).to_string();
        let escaped = inner.replace('&', "\\u0026");
        for text in [
            input,
            &inner,
            &escaped,
            &json!([inner]).to_string(),
            &json!([escaped]).to_string(),
            "sig=TOPSECRET&x=1",
        ] {
            let mut value = json!({"a": [text]});
            redactor.apply(&mut value);
            let clean = value.to_string();
            assert!(!clean.contains("TOPSECRET") && clean.contains('…'), "{text}: {clean}");
        }
    }

    #[test]
    fn what_is_no_query_stays() {
        let redactor = Redactor::of(r#"{"source_url": "http://a.example/f?v=1"}"#);
        let mut value = json!(["http://a.example/f?v=1", "bv=1=", "http://a.example/g?w=2"]);
        redactor.apply(&mut value);
        assert_eq!(value, json!(["http://a.example/f?…", "bv=1=", "http://a.example/g?w=2"]));
        assert!(Redactor::of(r#"{"source": {"url": "https://a.example/f?…"}}"#).is_idle());
        assert!(Redactor::of("no JSON").is_idle());
    }
}
