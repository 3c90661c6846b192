//! What is printed when a template runs: where everything is, what stands in for what, and what does not run here.

use serde_json::{Map, Value, json};

use super::running::Running;
use super::servers::{Place, Servers};
use super::stack::Stack;

/// Everything a reader needs.
pub(crate) struct Welcome<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) servers: &'a Servers,
    pub(crate) running: &'a Running,
    /// URL of the Step Functions API.
    pub(crate) api: &'a str,
}

impl Welcome<'_> {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let site = &self.stack.site;
        let locations: Map<String, Value> =
            self.servers.all.iter().map(|place| (place.site.name.clone(), location(place))).collect();
        let machines: Map<String, Value> =
            self.running.machines.iter().map(|(id, arn)| (id.clone(), json!(arn))).collect();
        json!({
            "stack": {"name": site.stack, "region": site.region, "account": site.account},
            "stepFunctions": {"endpoint": self.api, "region": site.region, "stateMachines": machines,
                "credentials": self.servers.credentials},
            "locations": locations,
            "replaced": self.replaced(),
            "leftOut": self.stack.left_out,
        })
    }

    fn replaced(&self) -> Vec<String> {
        self.servers.all.iter().map(|place| place.site.replaced(&place.server.endpoint())).collect()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let site = &self.stack.site;
        let mut lines = vec![format!("stack {} as in {}, account {}", site.stack, site.region, site.account)];
        lines.push(format!("  Step Functions API  {}", self.api));
        lines.extend(self.running.machines.iter().map(|(_, arn)| format!("    {arn}")));
        lines.extend(self.servers.all.iter().map(|place| {
            let buckets: Vec<&str> = place.site.buckets.keys().map(String::as_str).collect();
            format!("  location {}  {}  {}", place.site.name, place.server.endpoint(), buckets.join(" "))
        }));
        lines.push("stands in".to_owned());
        lines.extend(self.replaced().into_iter().map(|line| format!("  {line}")));
        let left: Vec<String> =
            self.stack.left_out.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        lines.push(format!("not run here: {}", left.join(", ")));
        lines.extend(self.shell());
        lines.join("\n") + "\n"
    }

    fn shell(&self) -> [String; 4] {
        let Self { servers, stack, api, .. } = self;
        let source = servers.all.iter().find(|place| place.site.tells(stack)).or(servers.all.first());
        let s3 = source.map(|place| place.server.endpoint()).unwrap_or_default();
        [
            "in another shell:".to_owned(),
            format!(
                "  export AWS_SHARED_CREDENTIALS_FILE='{}' AWS_REGION={region} AWS_DEFAULT_REGION={region}",
                servers.credentials.display(),
                region = stack.site.region
            ),
            format!("  export AWS_ENDPOINT_URL_SFN={api} AWS_ENDPOINT_URL_S3={s3}"),
            format!("  transload executions --stack {}", stack.site.stack),
        ]
    }
}

fn location(place: &Place) -> Value {
    json!({
        "endpoint": place.server.endpoint(),
        "region": place.site.region,
        "credentials": place.credentials,
        "buckets": place.site.buckets.keys().collect::<Vec<_>>(),
    })
}
