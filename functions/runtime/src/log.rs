//! Logs as one JSON object a line on standard error, each with the id of its request.

use tracing::Level;

/// Starts logging at the level of `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from a function's configuration; INFO without
/// it. What is logged are names, sizes and errors: never a body, a header or a variable.
pub(crate) fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|text| text.parse().ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_max_level(careful(level.unwrap_or(Level::INFO)))
        .with_current_span(true)
        .with_span_list(false)
        .finish();
    // A second call in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Below INFO the libraries underneath log whole requests, credentials' ids and inputs among them.
fn careful(wanted: Level) -> Level {
    wanted.min(Level::INFO)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::careful;

    #[test]
    fn the_level_is_never_below_info() {
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE].map(careful);
        assert_eq!(levels, [Level::ERROR, Level::WARN, Level::INFO, Level::INFO, Level::INFO]);
    }
}
