//! What a configuration may say, what is refused with which field, and that no key is ever repeated.

use transload_wire::ErrorName;

use super::{ConfiguredStores, Locations};
use crate::Stores;

/// A location of these lines, under the name `x`.
fn toml(lines: &str) -> Result<ConfiguredStores, String> {
    ConfiguredStores::from_toml(&format!("[locations.x]\n{lines}")).map_err(|failure| {
        assert_eq!(failure.name, ErrorName::InputInvalid);
        failure.message
    })
}

#[test]
fn locations_that_make_sense_are_accepted() {
    for lines in [
        "kind = \"s3\"",
        "kind = \"s3\"\nregion = \"eu-central-1\"",
        "kind = \"s3\"\npartition = \"aws-cn\"\nregion = \"cn-northwest-1\"",
        "kind = \"s3\"\nregion = \"cn-north-1\"\nendpoint = \"https://s3.cn-north-1.amazonaws.com.cn\"",
        "kind = \"s3\"\nregion = \"us-gov-west-1\"\nendpoint = \"https://s3.us-gov-west-1.amazonaws.com\"",
        "kind = \"s3\"\nregion = \"garage\"\nendpoint = \"http://127.0.0.1:3900\"\nallow_http = true\npath_style = true",
        "kind = \"s3\"\nregion = \"auto\"\nendpoint = \"https://account.r2.example.com\"\nprofile = \"r2\"",
        "kind = \"s3\"\ncredentials = { profile = \"china\" }",
        "kind = \"s3\"\ncredentials = { environment = \"CHINA\" }",
        "kind = \"s3\"\ncredentials = { file = \"/etc/keys\", profile = \"a\" }",
        "kind = \"s3\"\ncredentials = { secret = \"transload/china\" }",
        "kind = \"s3\"\ncredentials = { secret = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:china-AbCdEf\" }",
        "kind = \"s3\"\ncredentials = { parameter = \"/transload/china\" }",
        "kind = \"s3\"\ncredentials = { role = \"arn:aws:iam::123456789012:role/reader\", external_id = \"for-us\" }",
        "kind = \"s3\"\nregion = \"cn-north-1\"\ncredentials = { web_identity = \
         { role = \"arn:aws-cn:iam::123456789012:role/a/b\", audience = \"sts.amazonaws.com.cn\" } }",
        "kind = \"s3\"\nlimits = { min_part = 1000 }\npatience = { stall_seconds = 0.5, tries = 1 }",
        "kind = \"s3\"\nchecksums = [\"CRC32C\"]\ntrailers = false\nconditional_writes = false\netag_md5 = true",
        "kind = \"s3\"\nexpected_bucket_owner = \"123456789012\"\nuser_agent = \"team-a\"",
    ] {
        assert_eq!(toml(lines).err(), None, "{lines}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_field() {
    let rows = [
        ("", "locations.x: missing field `kind`"),
        ("kind = \"ftp\"", "locations.x.kind: unknown variant `ftp`"),
        ("kind = \"s3\"\nregon = \"eu-west-1\"", "locations.x.regon: unknown field `regon`"),
        ("kind = \"s3\"\nregion = \"mars-north-1\"", "locations.x.region: expected a Region of AWS"),
        ("kind = \"s3\"\nregion = \"eu-west\"", "locations.x.region: expected a Region of AWS"),
        (
            "kind = \"s3\"\npartition = \"aws\"\nregion = \"cn-north-1\"",
            "locations.x.region: expected a Region of partition aws,",
        ),
        (
            "kind = \"s3\"\npartition = \"aws-cn\"\nregion = \"eu-west-1\"",
            "locations.x.region: expected a Region of partition aws-cn",
        ),
        (
            "kind = \"s3\"\npartition = \"aws\"\nendpoint = \"https://s3.cn-north-1.amazonaws.com.cn\"",
            "locations.x.endpoint: expected a host of partition aws,",
        ),
        (
            "kind = \"s3\"\npartition = \"aws-cn\"\nendpoint = \"https://s3.eu-west-1.amazonaws.com\"",
            "locations.x.endpoint: expected a host of partition aws-cn",
        ),
        (
            "kind = \"s3\"\nregion = \"eu-west-1\"\nendpoint = \"https://s3.cn-north-1.amazonaws.com.cn\"",
            "locations.x.region: expected a Region of partition aws-cn",
        ),
        (
            "kind = \"s3\"\nendpoint = \"http://s3.example.com\"",
            "locations.x.endpoint: expected https (or allow_http = true beside it)",
        ),
        ("kind = \"s3\"\nendpoint = \"s3.example.com\"", "locations.x.endpoint: expected a URL"),
        (
            "kind = \"s3\"\nendpoint = \"ftp://s3.example.com\"\nallow_http = true",
            "locations.x.endpoint: expected a URL",
        ),
        (
            "kind = \"s3\"\nendpoint = \"https://s3.example.com/bucket\"",
            "locations.x.endpoint: expected a URL without path",
        ),
        (
            "kind = \"s3\"\nexpected_bucket_owner = \"12\"",
            "locations.x.expected_bucket_owner: expected an account id",
        ),
        (
            "kind = \"s3\"\nchecksums = [\"SHA256\"]",
            "locations.x.checksums: expected checksums that cover whole objects",
        ),
        (
            "kind = \"s3\"\nchecksums = [\"CRC64XZ\", \"CRC32\"]\ntrailers = false",
            "locations.x.checksums: expected CRC64XZ alone and without trailers",
        ),
        (
            "kind = \"s3\"\nchecksums = [\"CRC64XZ\"]",
            "locations.x.checksums: expected CRC64XZ alone and without trailers",
        ),
        ("kind = \"s3\"\nlimits = { min_part = 0 }", "locations.x.limits: location.limits:"),
        ("kind = \"s3\"\nlimits = { part = 1 }", "locations.x.limits.part: unknown field"),
        (
            "kind = \"s3\"\npatience = { stall_seconds = -1.0 }",
            "locations.x.patience.stall_seconds: expected 0.001",
        ),
        ("kind = \"s3\"\npatience = { tries = 0 }", "locations.x.patience.tries: expected 1 to 10"),
        ("kind = \"s3\"\ncredentials = { }", "locations.x.credentials: expected { profile"),
        (
            "kind = \"s3\"\ncredentials = { environment = \"A\", profile = \"b\" }",
            "locations.x.credentials: expected { profile",
        ),
        (
            "kind = \"s3\"\ncredentials = { environment = \"a b\" }",
            "locations.x.credentials: environment: expected a prefix",
        ),
        (
            "kind = \"s3\"\ncredentials = { secret = \"a\", parameter = \"b\" }",
            "locations.x.credentials: expected { profile",
        ),
        (
            "kind = \"s3\"\ncredentials = { secret = \"a\", external_id = \"b\" }",
            "locations.x.credentials: expected { profile",
        ),
        (
            "kind = \"s3\"\ncredentials = { secret = \"a b\" }",
            "locations.x.credentials: secret: expected a name",
        ),
        (
            "kind = \"s3\"\ncredentials = { parameter = \"\" }",
            "locations.x.credentials: parameter: expected a name",
        ),
        (
            "kind = \"s3\"\ncredentials = { role = \"reader\" }",
            "locations.x.credentials: role: expected arn:PARTITION",
        ),
        (
            "kind = \"s3\"\ncredentials = { role = \"arn:aws:iam::1234:role/a\" }",
            "locations.x.credentials: role: expected arn:PARTITION",
        ),
        (
            "kind = \"s3\"\nregion = \"cn-north-1\"\ncredentials = { role = \"arn:aws:iam::123456789012:role/a\" }",
            "locations.x.credentials: role: expected an ARN of partition aws-cn, found one of aws",
        ),
        (
            "kind = \"s3\"\ncredentials = { web_identity = { role = \"arn:aws-cn:iam::123456789012:role/a\", audience = \"b\" } }",
            "locations.x.credentials: web_identity: expected beside it the location's region, one of partition aws-cn",
        ),
        (
            "kind = \"s3\"\ncredentials = { web_identity = { role = \"arn:aws-cn:iam::123456789012:role/a\" } }",
            "locations.x.credentials: web_identity: expected { role",
        ),
        ("kind = \"s3\"\nuser_agent = \"two words\"", "locations.x.user_agent: expected letters"),
    ];
    for (lines, expected) in rows {
        let found = toml(lines).expect_err(lines);
        assert!(found.starts_with(expected), "{lines}\nexpected {expected}\n   found {found}");
    }
}

const SECRET: &str = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY";

#[test]
fn keys_are_refused_and_never_repeated() {
    for field in ["access_key_id", "secret_access_key", "aws_secret_access_key", "session_token"] {
        let found = toml(&format!("kind = \"s3\"\n{field} = \"{SECRET}\"")).expect_err(field);
        assert!(
            found.contains("expected no key here") && found.contains("environment = \"PREFIX\""),
            "{found}"
        );
        assert!(!found.contains(SECRET), "{found}");
        let found =
            toml(&format!("kind = \"s3\"\ncredentials = {{ {field} = \"{SECRET}\" }}")).expect_err(field);
        assert!(found.contains("expected no key here") && !found.contains(SECRET), "{found}");
    }
    for lines in [
        format!("kind = \"s3\"\ncredentials = \"{SECRET}\""),
        format!("kind = \"s3\"\nendpoint = \"https://user:{SECRET}@s3.example.com\""),
        format!("kind = \"s3\"\ncredentials = {{ profile = \"a\" \"{SECRET}\""),
        format!("kind = \"s3\"\ncredentials = {{ environment = [\"{SECRET}\"] }}"),
        format!("kind = \"s3\"\ncredentials = {{ web_identity = \"{SECRET}\" }}"),
        format!("kind = \"s3\"\ncredentials = {{ role = \"{SECRET}\" }}"),
        format!("kind = \"s3\"\ncredentials = {{ secret = \"{SECRET} \" }}"),
        // Forty characters of base64: a key where its secret's name belongs.
        "kind = \"s3\"\ncredentials = { secret = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\" }".to_owned(),
        "kind = \"s3\"\ncredentials = { parameter = \"AKIAIOSFODNN7EXAMPLE\" }".to_owned(),
    ] {
        let found = toml(&lines).expect_err(&lines);
        assert!(!found.contains(SECRET) && !found.contains("EXAMPLE"), "{found}");
    }
    let json = format!(r#"{{"locations": {{"x": {{"kind": "s3", "credentials": "{SECRET}"}}}}}}"#);
    let found = ConfiguredStores::from_json(&json).expect_err("a key").to_string();
    assert!(found.contains("locations.x.credentials") && !found.contains(SECRET), "{found}");
}

#[test]
fn toml_and_json_are_one_type() {
    let text =
        "[locations.x]\nkind = \"s3\"\nregion = \"eu-west-1\"\ncredentials = { environment = \"EU\" }\n";
    let locations = Locations::from_toml(text).unwrap();
    let json = serde_json::to_string(&locations).unwrap();
    assert_eq!(Locations::from_json(&json).unwrap(), locations);
    assert!(json.contains(r#""credentials":{"environment":"EU"}"#), "{json}");
    for credentials in [
        r#"{"secret":"transload/china"}"#,
        r#"{"parameter":"/transload/china"}"#,
        r#"{"role":"arn:aws:iam::123456789012:role/a"}"#,
        r#"{"role":"arn:aws:iam::123456789012:role/a","external_id":"for-us"}"#,
        r#"{"web_identity":{"role":"arn:aws:iam::123456789012:role/a","audience":"b"}}"#,
    ] {
        let json = format!(r#"{{"locations":{{"x":{{"kind":"s3","credentials":{credentials}}}}}}}"#);
        let written = serde_json::to_string(&Locations::from_json(&json).unwrap()).unwrap();
        assert!(written.contains(&format!(r#""credentials":{credentials}"#)), "{written}");
    }
    let default = Locations::from_toml("[locations.x]\nkind = \"s3\"").unwrap();
    assert_eq!(Locations::from_json(&serde_json::to_string(&default).unwrap()).unwrap(), default);
}

#[test]
fn the_environment_names_text_or_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("locations.toml");
    std::fs::write(&path, "[locations.file]\nkind = \"s3\"\n").unwrap();
    let path = path.to_str().unwrap().to_owned();
    let text = r#"{"locations": {"text": {"kind": "s3"}}}"#.to_owned();
    let names = |text: Option<String>, file: Option<String>| {
        let stores = ConfiguredStores::from_variables(|name| match name {
            "TRANSLOAD_LOCATIONS" => text.clone(),
            "TRANSLOAD_LOCATIONS_FILE" => file.clone(),
            _ => None,
        });
        stores
            .map(|stores| stores.names().map(str::to_owned).collect::<Vec<_>>())
            .map_err(|failure| failure.message)
    };
    assert_eq!(names(Some(text), Some(path.clone())).unwrap(), ["text"]);
    assert_eq!(names(None, Some(path)).unwrap(), ["file"]);
    assert!(names(None, None).unwrap_err().contains("found neither"));
    assert!(names(None, Some("/no/such/file".to_owned())).unwrap_err().starts_with("/no/such/file: "));
    assert!(names(Some("{".to_owned()), None).unwrap_err().starts_with("TRANSLOAD_LOCATIONS: "));
}

#[test]
fn an_unknown_location_is_told_with_the_known_ones() {
    let stores = toml("kind = \"s3\"").unwrap();
    assert!(stores.open(&"x".parse().unwrap()).is_ok());
    let refused = stores.open(&"y".parse().unwrap()).err().unwrap();
    assert_eq!(refused.message, "expected a configured location (x), found y");
}

#[test]
fn the_store_knows_what_its_location_says() {
    let rows = [
        ("region = \"cn-north-1\"", Some("aws-cn"), false),
        ("partition = \"aws-us-gov\"", Some("aws-us-gov"), false),
        ("endpoint = \"https://s3.eu-west-1.amazonaws.com\"\netag_md5 = true", Some("aws"), true),
        ("endpoint = \"https://s3.example.com\"\nregion = \"us-east-1\"", None, false),
        ("etag_md5 = true", None, true),
    ];
    for (lines, partition, md5) in rows {
        let store = toml(&format!("kind = \"s3\"\n{lines}")).unwrap().open(&"x".parse().unwrap()).unwrap();
        assert_eq!(store.partition(), partition, "{lines}");
        assert_eq!(store.etags_are_md5(), md5, "{lines}");
    }
}

#[test]
fn nothing_of_an_environment_is_printed() {
    let stores = toml("kind = \"s3\"\ncredentials = { environment = \"CHINA\" }").unwrap();
    let printed = format!("{stores:?}");
    assert!(printed.contains("Environment(\"CHINA\")"), "{printed}");
}
