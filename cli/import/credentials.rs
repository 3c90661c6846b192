//! The keys of the other account, as the systems before kept them: JSON, or a file of two lines. They go into a secret once;
//! nothing here shows them.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use transload_store::account::{Account, Service};

use crate::Global;
use crate::command::{print, print_json};
use crate::exit::{CliError, Exit, Outcome};

/// Arguments of `import credentials`.
#[derive(Debug, Args)]
pub(crate) struct CredentialsArgs {
    /// JSON with aws_access_key_id, aws_secret_access_key and region, or a file of two lines: id, secret
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the secret that is made in Secrets Manager
    #[arg(long, value_name = "NAME")]
    secret: String,
    /// Region of the secret, which is the deployment's [default: that of the AWS tools]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Puts the keys into a secret that is there already: that rotates them
    #[arg(long)]
    replace: bool,
}

/// As a location's secret holds them. Without `Debug`.
struct Keys {
    id: String,
    secret: String,
    region: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    aws_access_key_id: String,
    aws_secret_access_key: String,
    #[serde(default)]
    region: Option<String>,
}

/// Makes the secret.
pub(super) async fn run(args: CredentialsArgs, global: &Global) -> Outcome {
    let place = args.file.display();
    let text =
        std::fs::read_to_string(&args.file).map_err(|error| CliError::usage(format!("{place}: {error}")))?;
    let keys = parse(&text).map_err(|refused| CliError::usage(format!("{place}: {refused}")))?;
    let account = Account::of_process(args.region.as_deref()).await;
    let account = account.map_err(|refused| CliError::usage(format!("--region: {refused}")))?;
    let account =
        account.ok_or_else(|| CliError::usage("--region: expected the Region of the secret, found none"))?;
    let answer = keep(&account, &args, &keys).await?;
    if global.json() {
        print_json(&json!({"name": args.secret, "arn": answer["ARN"], "region": account.region()}))?;
    } else {
        print(&format!("secret {} in {} holds the keys\n", args.secret, account.region()))?;
    }
    eprintln!("delete {place} and its copies: the keys have their place now");
    Ok(())
}

/// CreateSecret, or PutSecretValue.
async fn keep(account: &Account, args: &CredentialsArgs, keys: &Keys) -> Outcome<Value> {
    let mut held = json!({"aws_access_key_id": keys.id, "aws_secret_access_key": keys.secret});
    if let Some(region) = &keys.region {
        held["region"] = json!(region);
    }
    // The same token makes a request that is sent twice one.
    let token = uuid::Uuid::new_v4().to_string();
    let (target, body) = match args.replace {
        true => (
            "secretsmanager.PutSecretValue",
            json!({"SecretId": args.secret, "SecretString": held.to_string(), "ClientRequestToken": token}),
        ),
        false => (
            "secretsmanager.CreateSecret",
            json!({"Name": args.secret, "SecretString": held.to_string(), "ClientRequestToken": token,
                   "Description": "Keys of a location of transload"}),
        ),
    };
    account.json(Service::SecretsManager, target, &body).await.map_err(|refused| match refused.code() {
        Some("ResourceExistsException") => CliError::new(
            Exit::Failed,
            format!("--secret: expected a new name, found {} there already", args.secret),
        )
        .hint("--replace puts the keys into it"),
        Some("ResourceNotFoundException") => {
            CliError::new(Exit::NotFound, format!("--replace: there is no secret {}", args.secret))
        }
        // The service's words on other refusals could quote what was sent.
        Some(code) => CliError::new(Exit::Failed, format!("{target}: {code}")),
        None => CliError::trouble("Secrets Manager", refused),
    })
}

/// Refusals do not quote the text.
fn parse(text: &str) -> Result<Keys, String> {
    let expected = "expected JSON {\"aws_access_key_id\", \"aws_secret_access_key\", \"region\"} or two lines, id and secret";
    let keys = if text.trim_start().starts_with('{') {
        let found: Json = serde_json::from_str(text).map_err(|error| {
            let found = if error.is_data() { "other members" } else { "something that is no JSON" };
            format!("{expected}, found {found}")
        })?;
        Keys { id: found.aws_access_key_id, secret: found.aws_secret_access_key, region: found.region }
    } else {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let [id, secret] = lines[..] else { return Err(format!("{expected}, found {} lines", lines.len())) };
        Keys { id: id.to_owned(), secret: secret.to_owned(), region: None }
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    // Ids have 16 to 128 letters and digits; a secret that stands in their place has other characters or another case.
    let id = (16..=128).contains(&keys.id.len())
        && keys.id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !id {
        return Err("id: expected 16 to 128 capital letters and digits, found something else".to_owned());
    }
    if !word(&keys.secret) {
        return Err("secret: expected characters without spaces, found others or none".to_owned());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";

    #[test]
    fn both_forms_are_read() {
        let keys = parse(&format!(
            r#"{{"aws_access_key_id": "{ID}", "aws_secret_access_key": "s/+", "region": "cn-north-1"}}"#
        ));
        let keys = keys.ok().unwrap();
        assert_eq!(
            (keys.id.as_str(), keys.secret.as_str(), keys.region.as_deref()),
            (ID, "s/+", Some("cn-north-1"))
        );
        let keys = parse(&format!("{ID}\r\nabc/+=\r\n\n")).ok().unwrap();
        assert_eq!((keys.id.as_str(), keys.secret.as_str(), keys.region), (ID, "abc/+=", None));
    }

    #[test]
    fn what_is_wrong_is_told_without_a_word_of_it() {
        for (text, expected) in [
            ("TOPSECRET".to_owned(), "found 1 lines"),
            (format!("topSECRET/secret/secret/secret\n{ID}"), "id: expected"),
            (format!("{ID}\nTOP SECRET"), "secret: expected"),
            (r#"{"username": "TOPSECRET"}"#.to_owned(), "found other members"),
            ("{TOPSECRET".to_owned(), "no JSON"),
        ] {
            let refused = parse(&text).err().unwrap();
            assert!(refused.contains(expected) && !refused.to_uppercase().contains("TOPSECRET"), "{refused}");
        }
    }
}
