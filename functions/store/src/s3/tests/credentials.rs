//! Credentials: read again once when they are refused; never printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use strict_s3::{Action, Answer, Rule};

use super::{body, content, object, settings, target, with_faults};
use crate::keys::Unread;
use crate::s3::{CredentialsSource, S3Store};
use crate::{Condition, Store, StoreErrorKind as Kind};

/// Gives a key that was revoked, and from the second time on the new one.
#[derive(Debug, Default)]
struct Rotated(Arc<AtomicUsize>);

impl ProvideCredentials for Rotated {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let id = if self.0.fetch_add(1, Ordering::Relaxed) == 0 { "AKIDREVOKED" } else { "AKIDTEST" };
        let keys: provider::Result = Ok(Credentials::new(id, "a secret of the test", None, None, "test"));
        future::ProvideCredentials::ready(keys)
    }
}

#[tokio::test]
async fn a_rotated_key_is_read_again() {
    let (server, _, _) = with_faults([]).await;
    let reads = Arc::new(AtomicUsize::new(0));
    let provider = CredentialsSource::Provider(SharedCredentialsProvider::new(Rotated(Arc::clone(&reads))));
    let store = S3Store::new(crate::s3::S3Settings { credentials: provider, ..settings(&server) });
    assert_eq!(store.tags(&object("a")).await.unwrap(), [].into());
    assert_eq!(store.head(&object("a")).await.unwrap().size, 100_000);
    assert_eq!(reads.load(Ordering::Relaxed), 2, "read once more, and then kept");
}

#[tokio::test]
async fn a_body_is_not_sent_again_but_the_next_call_has_new_keys() {
    let (server, _, _) = with_faults([]).await;
    let provider = CredentialsSource::Provider(SharedCredentialsProvider::new(Rotated::default()));
    let store = S3Store::new(crate::s3::S3Settings { credentials: provider, ..settings(&server) });
    let target = target(&store, "b");
    let refused = store.put(&target, body(content()), &Condition::Anything).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Credentials, "{refused}");
    store.put(&target, body(content()), &Condition::Anything).await.unwrap();
}

#[tokio::test]
async fn a_key_that_stays_refused_is_told() {
    for answer in [Answer::expired_token(), Answer::invalid_access_key()] {
        let (_server, store, _) = with_faults([Rule::on("GetObjectTagging", Action::Answer(answer))]).await;
        assert_eq!(store.tags(&object("a")).await.unwrap_err().kind, Kind::Credentials);
        assert_eq!(store.requests().get("GetObjectTagging"), Some(&2), "once more, and no oftener");
    }
}

/// A HEAD is refused without a word about the clock; the GET that asks why puts the clock right.
#[tokio::test]
async fn a_wrong_clock_does_not_make_head_look_forbidden() {
    for skew in [-86_400, -960, 960, 86_400] {
        let (server, store, _) = with_faults([]).await;
        server.set_clock_skew(skew);
        let head = store.head(&object("a")).await;
        assert_eq!(head.map(|head| head.size).map_err(|error| error.kind), Ok(100_000), "{skew} s");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected() {
    let (server, store, _) = with_faults([]).await;
    for skew in [-86_400, 960, 86_400] {
        server.set_clock_skew(skew);
        assert!(store.tags(&object("a")).await.is_ok(), "{skew} s");
    }
}

#[tokio::test]
async fn no_secret_is_printed() {
    let (_server, store, etag) = with_faults([Rule::always(Action::Answer(Answer::access_denied()))]).await;
    let put = store.put(&target(&store, "b"), body(content()), &Condition::Anything).await.unwrap_err();
    let get = super::read(&store, &etag).await.unwrap_err();
    let printed = format!("{store:?} {:?} {put} {put:?} {get} {get:?}", store.settings);
    for secret in ["a secret of the test", "AKIDTEST", "Signature", "Authorization", "authorization"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("redacted"));
}

/// Can not read its secret.
#[derive(Debug)]
struct Refused(Kind);

impl ProvideCredentials for Refused {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let unread = Unread::new(self.0, "location china: secret \"a\": refused");
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error(unread)))
    }
}

#[tokio::test]
async fn a_secret_that_can_not_be_read_is_told_by_what_stood_in_the_way() {
    let (server, _, _) = with_faults([]).await;
    for kind in [Kind::AccessDenied, Kind::Throttled, Kind::Connection, Kind::Credentials] {
        let provider = CredentialsSource::Provider(SharedCredentialsProvider::new(Refused(kind)));
        let store = S3Store::new(crate::s3::S3Settings { credentials: provider, ..settings(&server) });
        let head = store.head(&object("a")).await.unwrap_err();
        let put = store.put(&target(&store, "b"), body(content()), &Condition::Anything).await.unwrap_err();
        for error in [head, put] {
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains("location china: secret \"a\": refused"), "{error}");
        }
        assert_eq!(store.requests(), [].into(), "nothing was sent");
    }
}

#[tokio::test]
async fn variables_that_are_missing_are_named() {
    let (server, _, _) = with_faults([]).await;
    let missing = CredentialsSource::Environment("TRANSLOAD_NO_SUCH".to_owned());
    let store = S3Store::new(crate::s3::S3Settings { credentials: missing, ..settings(&server) });
    let error = store.head(&object("a")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials, "{error}");
    assert!(error.message.contains("TRANSLOAD_NO_SUCH_ACCESS_KEY_ID"), "{error}");
    assert_eq!(store.requests(), [].into(), "nothing was sent");
}
