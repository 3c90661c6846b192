//! Where a URL may lead to. F40: redirects and names that lead elsewhere.

use odd_https::{Reply, Server, Site};
use serde_json::json;
use transload_store::location::ConfiguredStores;
use transload_wire::{ErrorName, Source, parse};

use crate::kit::{Kit, bytes};

/// What Head says to a URL, with the default settings of a deployment.
async fn refused(url: &str) -> (ErrorName, String) {
    let text = json!({"url": url}).to_string();
    if let Err(failure) = parse::<Source>(text.as_bytes()) {
        return (failure.name, failure.message);
    }
    let mut world = transload_function_tests::World::new(60);
    world.stores = world.stores.clone().with_urls(ConfiguredStores::from_toml("").unwrap());
    world.request.source = parse(text.as_bytes()).unwrap();
    let failure = transload_function_tests::States::new(&world, "run").head().await.expect_err(url);
    (failure.name, failure.message)
}

#[tokio::test]
async fn http_other_schemes_users_and_addresses_are_refused() {
    for (url, told) in [
        ("ftp://example.com/a", "scheme \"ftp\""),
        ("file:///etc/passwd", "scheme \"file\""),
        ("data:text/plain,x", "scheme \"data\""),
        ("gopher://example.com/", "scheme \"gopher\""),
        ("http://example.com/", "expected https"),
        ("https://user:pass@example.com/", "user or password"),
        ("https://169.254.169.254/latest/meta-data/", "found 169.254.169.254"),
        ("https://[::ffff:169.254.169.254]/", "found ::ffff:169.254.169.254"),
        ("https://[fd00:ec2::254]/", "found fd00:ec2::254"),
        ("https://0x7f.1/", "another form"),
        ("https://2130706433/", "another form"),
        ("https://127.0.0.1/", "found 127.0.0.1"),
        ("https://10.1.2.3/", "found 10.1.2.3"),
        ("https://100.100.100.200/", "found 100.100.100.200"),
        ("https://[::1]/", "found ::1"),
    ] {
        let (name, message) = refused(url).await;
        assert!(name == ErrorName::InputInvalid && message.contains(told), "{url}: {name}: {message}");
        assert!(message.contains("url"), "the field: {message}");
    }
}

#[tokio::test]
async fn f40_a_name_that_resolves_to_a_private_address_is_refused() {
    let (name, message) = refused("https://localhost:1/").await;
    assert_eq!(name, ErrorName::InputInvalid);
    assert!(message.contains("expected a public address of host localhost"), "{message}");
}

fn redirect(to: impl Into<String>) -> Reply {
    Reply::status(302).with("location", to)
}

#[tokio::test]
async fn redirects_are_followed_and_only_the_path_of_each_is_shown() {
    let site = Site::new(bytes(60));
    let kit = Kit::new(move |request, _| match request.target.as_str() {
        "/final/file?signed=TOPSECRETCANARY" => site.reply(request),
        "/five" => redirect("final/file?signed=TOPSECRETCANARY"),
        "/four" => Reply::status(307).with("location", "/five"),
        "/three" => Reply::status(308).with("location", "/four"),
        "/two" => Reply::status(301).with("location", "/three"),
        _ => Reply::status(303).with("location", "/two"),
    })
    .await;
    kit.copies(&bytes(60)).await;
    // The pin goes along to wherever the object is.
    assert_eq!(kit.server.requests().last().unwrap().header("if-match"), Some("\"first\""));
}

#[tokio::test]
async fn http_six_hops_are_too_many() {
    let kit =
        Kit::new(|request, _| redirect(format!("{}x", request.target.split('?').next().unwrap()))).await;
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::SourceBroken && message.contains("at most 5 redirects"), "{name}: {message}");
    assert_eq!(kit.asked().len(), 6);
}

#[tokio::test]
async fn http_a_redirect_loop_is_told() {
    let kit = Kit::new(|request, _| redirect(if request.target == "/a" { "/b" } else { "/a" })).await;
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::SourceBroken && message.contains("in a circle"), "{name}: {message}");
}

#[tokio::test]
async fn http_https_to_http_is_refused() {
    let plain = Server::plain(|_, _| Reply::status(200)).await.unwrap();
    let target = plain.url("/file?TOPSECRETCANARY");
    let server = Server::start(move |_, _| redirect(target.clone())).await.unwrap();
    // Even where plain http is allowed.
    let kit = Kit::over(server, "http_hosts = [\"localhost\"]");
    let (name, message) = kit.fails().await;
    assert!(
        name == ErrorName::InputInvalid && message.contains("expected https, found http"),
        "{name}: {message}"
    );
    assert!(plain.requests().is_empty(), "nothing was asked there");
}

#[tokio::test]
async fn f40_a_redirect_to_a_metadata_address_is_refused() {
    for to in [
        "https://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "//169.254.169.254/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:pass@localhost/",
    ] {
        let kit = Kit::new(move |_, _| redirect(to)).await;
        let (name, message) = kit.fails().await;
        assert_eq!(name, ErrorName::InputInvalid, "{to}: {message}");
        assert!(!message.contains("pass@"), "{message}");
    }
}

/// Vetted where it is read, not only where it is looked at.
#[tokio::test]
async fn f40_a_redirect_that_comes_only_when_bytes_are_read_is_refused() {
    let site = Site::new(bytes(60));
    let kit = Kit::new(
        move |request, turn| {
            if turn < 3 { site.reply(request) } else { redirect("https://169.254.169.254/") }
        },
    );
    let (name, message) = kit.await.fails().await;
    assert_eq!(name, ErrorName::InputInvalid, "{message}");
}

#[tokio::test]
async fn a_redirect_without_a_target_is_no_answer() {
    let kit = Kit::new(|_, _| Reply::status(302)).await;
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::SourceBroken && message.contains("Location"), "{name}: {message}");
}

#[tokio::test]
async fn plain_http_is_read_where_the_deployment_says_so() {
    let site = Site::new(bytes(60));
    let server = Server::plain(move |request, _| site.reply(request)).await.unwrap();
    let kit = Kit::over(server, "http_hosts = [\"localhost\"]");
    kit.copies(&bytes(60)).await;
}
