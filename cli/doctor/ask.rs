//! Asks stores and services. Nothing is judged here.

use rand::Rng;
use serde_json::{Value, json};
use transload_store::account::{Account, Refused, Service};
use transload_store::location::{CredentialsConfig, Issuer};
use transload_store::s3::inspect::{self, Inspector, Refusal};
use transload_store::s3::{CredentialsSource, S3Store};
use transload_store::{StoreErrorKind as Kind, location::Partition};

use super::facts::{AccountFacts, EndFacts, Inside, Kept, LocationFacts, Written};
use super::setup::{Declared, End, Setup, Spot};
use crate::exit::{CliError, Outcome};

/// A location with its store.
pub(crate) struct Asked<'a> {
    name: String,
    spot: &'a Spot,
    store: S3Store,
    partition: Option<Partition>,
}

/// An end, with what routes want of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Where.
    pub(crate) end: End,
    /// Whether it is read; else it is written.
    pub(crate) source: bool,
    /// Whether events start transfers from it.
    pub(crate) events: bool,
    /// Whether tags are copied.
    pub(crate) tags: bool,
    /// Whether an upload may be tried.
    pub(crate) write: bool,
}

impl<'a> Asked<'a> {
    /// Nothing is sent yet. In a deployment, secrets are asked for in its Region.
    ///
    /// # Errors
    /// If the location is refused.
    pub(crate) fn new(name: &str, spot: &'a Spot, setup: &Setup) -> Outcome<Self> {
        let settings = spot
            .location
            .settings(name)
            .map_err(|failure| CliError::usage(format!("locations.{name}.{}", failure.message)));
        let mut settings = settings?;
        if let (CredentialsSource::Issued(issued), Some(region)) = (&settings.credentials, &setup.region) {
            settings.credentials = CredentialsSource::Provider(issued.clone().asked_in(region));
        }
        let partition = settings.partition;
        Ok(Self { name: name.to_owned(), spot, store: S3Store::new(settings), partition })
    }

    /// The location's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn inspector(&self) -> Inspector<'_> {
        self.store.inspector()
    }

    /// Who we are there.
    pub(crate) async fn location(&self, account: Option<&Account>) -> LocationFacts {
        let credentials = self.inspector().credentials().await;
        let kept = match (&credentials, &self.spot.location.credentials, account) {
            (Err(refusal), CredentialsConfig::Issued(Issuer::Secret(secret)), Some(account))
                if is_denied(refusal) =>
            {
                Some(secret_is_kept(account, secret).await)
            }
            _ => None,
        };
        let caller = match &credentials {
            Ok(()) => self.inspector().caller().await.map(|answer| answer.map_err(|refused| said(&refused))),
            Err(_) => None,
        };
        LocationFacts {
            name: self.name.clone(),
            partition: self.partition,
            source: source(&self.spot.location.credentials, self.spot.own_role),
            own_role: self.spot.own_role,
            credentials,
            kept,
            caller,
            clock: None,
        }
    }

    /// What is there at an end, and what we may do.
    pub(crate) async fn end(&self, wanted: &Wanted) -> EndFacts {
        let End { bucket, prefix, location } = &wanted.end;
        let inspector = self.inspector();
        let (head, region) = (inspector.bucket(bucket).await, inspector.region().await);
        let elsewhere = head.region.is_some() && self.partition.is_some() && head.region != region;
        // 403 may only mean that the whole bucket is not ours to see.
        let there = match &head.answer {
            Ok(()) => true,
            Err(refusal) => refusal.kind == Kind::AccessDenied,
        };
        let inside = if there && !elsewhere { Some(self.inside(wanted).await) } else { None };
        EndFacts {
            subject: format!("{location}: {bucket}{}{prefix}", if prefix.is_empty() { "" } else { "/" }),
            location: location.clone(),
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            partition: self.partition,
            region,
            declared: self.declared(bucket),
            own_role: self.spot.own_role,
            head,
            inside,
        }
    }

    fn declared(&self, bucket: &str) -> Option<Declared> {
        self.spot.buckets.get(bucket).cloned()
    }

    async fn inside(&self, wanted: &Wanted) -> Inside {
        let inspector = self.inspector();
        let End { bucket, prefix, .. } = &wanted.end;
        let list = inspector.first_key(bucket, prefix).await;
        let absent = absent_key(prefix);
        let key = match &list.answer {
            Ok(Some(key)) if wanted.source => key.clone(),
            _ => absent.clone(),
        };
        let read = inspector.first_byte(bucket, &key, None).await;
        let read_version = match &read.answer {
            Ok(Some(version)) => Some(inspector.first_byte(bucket, &key, Some(version)).await),
            _ => None,
        };
        let tags = match wanted.source && wanted.tags {
            true => Some(inspector.tags(bucket, &key).await),
            false => None,
        };
        let events = match wanted.source && wanted.events && self.partition.is_some() {
            true => Some(inspector.sends_events(bucket).await),
            false => None,
        };
        let encryption = match self.partition {
            Some(_) => Some(inspector.default_encryption(bucket).await),
            None => None,
        };
        let versioning = inspector.versioning(bucket).await;
        let written = if wanted.source { None } else { Some(self.written(wanted, &absent).await) };
        Inside { versioning, encryption, list, read, read_version, tags, events, written }
    }

    async fn written(&self, wanted: &Wanted, key: &str) -> Written {
        let (inspector, bucket) = (self.inspector(), &wanted.end.bucket);
        let upload = match wanted.write {
            true => Some(inspector.probe_upload(bucket, key, wanted.tags).await),
            false => None,
        };
        Written { upload, lifetimes: inspector.upload_lifetimes(bucket).await }
    }
}

/// A key that nobody has: whether it is found is not the question, but whether we may ask.
pub(crate) fn absent_key(prefix: &str) -> String {
    format!("{prefix}.transload-doctor-{:016x}", rand::rng().random::<u64>())
}

fn is_denied(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_deref(), Some("AccessDenied" | "AccessDeniedException"))
}

async fn secret_is_kept(account: &Account, secret: &str) -> Kept {
    let body = json!({"SecretId": secret});
    match account.json(Service::SecretsManager, "secretsmanager.DescribeSecret", &body).await {
        Ok(_) => Kept::There,
        Err(refused) if refused.code() == Some("ResourceNotFoundException") => Kept::Missing,
        Err(_) => Kept::Unknown,
    }
}

fn source(credentials: &CredentialsConfig, own_role: bool) -> String {
    match credentials {
        CredentialsConfig::Default if own_role => "yours, in place of the functions' roles".to_owned(),
        CredentialsConfig::Default => "those that the AWS tools would use".to_owned(),
        CredentialsConfig::Profile(name) => format!("profile {name}"),
        CredentialsConfig::Environment(prefix) => format!("variables {prefix}_ACCESS_KEY_ID, ..."),
        CredentialsConfig::File(path, profile) => {
            format!("{} of {}", profile.as_deref().unwrap_or("default"), path.display())
        }
        CredentialsConfig::Issued(issuer) => issuer.to_string().replace('"', ""),
    }
}

/// A service's refusal, in the form of a store's.
pub(crate) fn said(refused: &Refused) -> Refusal {
    let code = refused.code().map(ToOwned::to_owned);
    Refusal { kind: refused.kind(), code, status: None, message: refused.to_string() }
}

/// What the account of a deployment says of itself.
pub(crate) async fn account(account: &Account, expected: Option<&str>) -> AccountFacts {
    let caller = inspect::caller(account).await.map_err(|refused| said(&refused));
    let settings =
        account.get(Service::Functions, "lambda:GetAccountSettings", "/2016-08-19/account-settings/");
    let concurrency = settings.await.map_err(|refused| said(&refused)).and_then(|settings| {
        let free = settings.pointer("/AccountLimit/UnreservedConcurrentExecutions").and_then(Value::as_u64);
        free.ok_or_else(|| Refusal {
            kind: Kind::Malformed,
            code: None,
            status: None,
            message: "lambda:GetAccountSettings: no UnreservedConcurrentExecutions".to_owned(),
        })
    });
    let map_runs = map_runs(account).await.map_err(|refused| said(&refused));
    let (region, expected) = (account.region().to_owned(), expected.map(ToOwned::to_owned));
    AccountFacts { region, expected, caller, concurrency, map_runs }
}

/// The quota by its name.
async fn map_runs(account: &Account) -> Result<Option<u64>, Refused> {
    let mut token: Option<String> = None;
    loop {
        let mut body = json!({"ServiceCode": "states", "MaxResults": 100});
        if let Some(token) = &token {
            body["NextToken"] = json!(token);
        }
        let page = account.json(Service::Quotas, "ServiceQuotasV20190624.ListServiceQuotas", &body).await?;
        let quotas = page["Quotas"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = quotas.iter().find(|quota| {
            let name = quota["QuotaName"].as_str().unwrap_or_default().to_ascii_lowercase();
            name.contains("open") && name.contains("map run")
        });
        if let Some(found) = found {
            return Ok(found["Value"].as_f64().map(|value| value as u64));
        }
        token = page["NextToken"].as_str().map(ToOwned::to_owned);
        if token.is_none() {
            return Ok(None);
        }
    }
}
