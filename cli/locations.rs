//! Which locations there are, and which variables of the environment their credentials need.

use std::path::{Path, PathBuf};

use transload_store::location::{ConfiguredStores, CredentialsConfig, Location, LocationKind, Locations};
use transload_wire::LocationName;

use crate::exit::{CliError, Exit, Outcome};

/// The file in the current folder that is read when none is named.
const HERE: &str = "transload.toml";

/// Not secret, and needed to reach anything at all.
const ALWAYS: [&str; 4] = ["RUST_LOG", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"];

/// Where named profiles live.
const PROFILES: [&str; 3] = ["HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

/// What the default chain of the AWS SDKs looks at beside the profiles.
const CHAIN: [&str; 18] = [
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

/// Where else the services are that keep or issue credentials.
const ISSUERS: [&str; 2] = ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_SSM"];

/// The file that was named, or the one in this folder, or the user's.
///
/// # Errors
/// If there is none.
fn find(named: Option<&Path>) -> Outcome<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    let usual = [Some(PathBuf::from(HERE)), config.map(|folder| folder.join("transload/locations.toml"))];
    let candidates: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => usual.into_iter().flatten().collect(),
    };
    let found = candidates.iter().find(|path| path.is_file()).ok_or_else(|| {
        let places: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        CliError::usage(format!("no locations file: looked for {}", places.join(" and ")))
            .hint("write one (the README shows how) and name it with --locations FILE")
    })?;
    std::path::absolute(found).map_err(|e| CliError::trouble(found.display(), e))
}

/// The locations of a file, checked.
#[derive(Debug)]
pub(crate) struct Known {
    /// The file, which workers read themselves.
    pub(crate) file: PathBuf,
    locations: Locations,
}

/// Reads the locations, so that what is wrong with them is told before anything starts.
///
/// # Errors
/// If there is no file, or it is refused.
pub(crate) fn read(named: Option<&Path>) -> Outcome<Known> {
    let file = find(named)?;
    let text =
        std::fs::read_to_string(&file).map_err(|e| CliError::usage(format!("{}: {e}", file.display())))?;
    let json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let locations = if json { Locations::from_json(&text) } else { Locations::from_toml(&text) };
    let checked = locations.and_then(|locations| ConfiguredStores::new(&locations).map(|_| locations));
    let locations = checked.map_err(|failure| CliError::usage(failure.at(file.display()).to_string()))?;
    Ok(Known { file, locations })
}

impl Known {
    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&LocationName, &Location)> {
        self.locations.locations.iter()
    }

    /// Refuses a location that the file does not have.
    ///
    /// # Errors
    /// [`Exit::NotFound`], with the names it has.
    pub(crate) fn require(&self, name: &LocationName) -> Outcome {
        if self.locations.locations.contains_key(name) {
            return Ok(());
        }
        let names: Vec<&str> = self.locations.locations.keys().map(LocationName::as_str).collect();
        let message = format!("{}: no location {name}; it has {}", self.file.display(), names.join(", "));
        Err(CliError::new(Exit::NotFound, message))
    }

    /// Variables that workers need for the credentials of these locations.
    pub(crate) fn variables(&self) -> Vec<String> {
        // Files need none.
        let stores = self.locations.locations.values().filter(|location| location.kind == LocationKind::S3);
        let credentials = stores.map(|location| &location.credentials);
        let mut names: Vec<String> =
            ALWAYS.map(str::to_owned).into_iter().chain(credentials.flat_map(needed)).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn needed(credentials: &CredentialsConfig) -> Vec<String> {
    let names: Vec<&str> = match credentials {
        CredentialsConfig::Environment(prefix) => {
            let names = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"];
            return names.map(|name| format!("{prefix}_{name}")).into();
        }
        CredentialsConfig::File(..) => Vec::new(),
        CredentialsConfig::Profile(_) => PROFILES.into(),
        // Read with the keys that the default chain finds.
        CredentialsConfig::Issued(_) => PROFILES.into_iter().chain(CHAIN).chain(ISSUERS).collect(),
        CredentialsConfig::Default => PROFILES.into_iter().chain(CHAIN).collect(),
    };
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Known, read};
    use crate::exit::Exit;

    fn known(credentials: &str) -> Known {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("[locations.a]\nkind = \"s3\"\nregion = \"us-east-1\"\n{credentials}\n");
        std::fs::write(file.path(), text).unwrap();
        read(Some(file.path())).unwrap()
    }

    fn of(credentials: &str) -> Vec<String> {
        known(credentials).variables()
    }

    #[test]
    fn workers_get_only_what_their_credentials_need() {
        let file = of("credentials = { file = \"x\" }");
        assert!(!file.iter().any(|name| name.contains("KEY") || name == "HOME"), "{file:?}");
        let environment = of("credentials = { environment = \"CHINA\" }");
        assert!(environment.contains(&"CHINA_SECRET_ACCESS_KEY".to_owned()));
        assert!(!environment.contains(&"AWS_SECRET_ACCESS_KEY".to_owned()));
        let profile = of("credentials = { profile = \"p\" }");
        assert!(profile.contains(&"AWS_SHARED_CREDENTIALS_FILE".to_owned()));
        assert!(!profile.contains(&"AWS_SECRET_ACCESS_KEY".to_owned()));
        assert!(of("").contains(&"AWS_SECRET_ACCESS_KEY".to_owned()));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let refused = known("").require(&"b".parse().unwrap()).unwrap_err();
        assert_eq!(refused.exit, Exit::NotFound);
        assert!(refused.to_string().contains("no location b; it has a"), "{refused}");
        let missing = read(Some(std::path::Path::new("/nowhere/locations.toml"))).unwrap_err();
        assert_eq!(missing.exit, Exit::Usage);
        assert!(missing.to_string().contains("/nowhere/locations.toml"), "{missing}");
    }
}
