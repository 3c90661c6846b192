//! Finds a key that occurs twice in one object: parsers keep the last, and a state would be gone without a word.
use super::Diagnostic;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// The first duplicate key with the place of its object; nothing about a text that is no JSON.
pub(super) fn duplicate(text: &str) -> Option<Diagnostic> {
    let found = RefCell::new(None);
    let walk = Walk { at: String::new(), found: &found };
    // An error means a duplicate, which is then in `found`, or no JSON, which whoever parses next will say.
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(text));
    found.into_inner()
}

struct Walk<'a> {
    at: String,
    found: &'a RefCell<Option<Diagnostic>>,
}

impl Walk<'_> {
    fn below(&self, segment: &str) -> Self {
        Self { at: format!("{}{segment}", self.at), found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                let location = if self.at.is_empty() { "/".to_owned() } else { self.at.clone() };
                let message = format!("Duplicate field '{key}' at {location}");
                *self.found.borrow_mut() =
                    Some(Diagnostic { code: "INVALID_JSON_DESCRIPTION", message, location });
                return Err(A::Error::custom("duplicate"));
            }
            map.next_value_seed(self.below(&format!("/{key}")))?;
            keys.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while list.next_element_seed(self.below(&format!("[{index}]")))?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::duplicate;

    #[test]
    fn duplicates_are_found_where_they_are_and_nowhere_else() {
        let cases = [
            (r#"{"a":1,"a":2}"#, Some("/")),
            (r#"{"States":{"A":{"Type":"Pass"},"B":{},"A":{}}}"#, Some("/States")),
            (r#"{"States":{"A":{"Branches":[{},{"x":1,"x":1}]}}}"#, Some("/States/A/Branches[1]")),
            (r#"{"\u0061":1,"a":2}"#, Some("/")),
            (r#"{"a":{"a":{"a":[1,-2.5,null,true,"a"]}},"b":{"a":1}}"#, None),
            (r#"{"a":1,"#, None),
            ("[]", None),
        ];
        for (text, place) in cases {
            assert_eq!(duplicate(text).as_ref().map(|d| d.location.as_str()), place, "{text}");
        }
    }
}
