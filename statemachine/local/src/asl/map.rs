//! Map states: the processor, where items come from, how they are batched, and where results go.
use super::fields::Fields;
use super::state::template;
use super::task::number;
use super::*;
use serde_json::Value;

/// Longest label (facts: it becomes part of ARNs).
const MAX_LABEL: usize = 40;
/// Children of one Map Run in parallel.
const MAX_PARALLEL: f64 = 10_000.0;
/// Items that one Map Run reads.
const MAX_ITEMS: f64 = 100_000_000.0;
/// Largest batch in bytes, as much as a state's input.
const MAX_BATCH_BYTES: f64 = 262_144.0;
const LOTS: f64 = 100_000_000.0;

/// The fields of a Map.
pub(super) fn parse(fields: &Fields<'_>, context: Context) -> Option<MapState> {
    let language = context.language;
    let (mode, processor) = processor(fields, context)?;
    let distributed = matches!(mode, Mode::Distributed { .. });
    if distributed && context.express {
        fields.bad_here("Express state machine does not support a Map in DISTRIBUTED mode");
    }
    let (selector, selector_field) = selector(fields, language);
    let mut map = MapState {
        mode,
        processor: std::sync::Arc::new(processor),
        items: items(fields, language),
        selector,
        selector_field,
        reader: None,
        batcher: None,
        writer: None,
        max_concurrency: number(fields, "MaxConcurrency", "MaxConcurrencyPath", language, (0.0, LOTS)),
        tolerated_count: None,
        tolerated_percentage: None,
        label: None,
    };
    // As recorded, an INLINE Map may have these two as well; nothing comes of them there.
    map.tolerated_count =
        number(fields, "ToleratedFailureCount", "ToleratedFailureCountPath", language, (0.0, LOTS));
    map.tolerated_percentage = number(
        fields,
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
        language,
        (0.0, 100.0),
    );
    if distributed {
        distributed_only(fields, language, &mut map);
    }
    Some(map)
}

fn distributed_only(fields: &Fields<'_>, language: Language, map: &mut MapState) {
    map.reader = fields.get("ItemReader").and_then(|v| reader(fields, v, language));
    map.batcher = fields.get("ItemBatcher").and_then(|v| batcher(fields, v, language));
    map.writer = fields.get("ResultWriter").and_then(|v| writer(fields, v, language));
    map.label = fields.text("Label").map(str::to_owned);
    if let Some(label) = &map.label {
        check_label(fields, label);
    }
}

fn check_label(fields: &Fields<'_>, label: &str) {
    let length = label.chars().count();
    if length == 0 || length > MAX_LABEL {
        fields.bad("Label", format!("Label has 1 to {MAX_LABEL} characters, found {length}"));
    }
    let bad = |c: char| c.is_whitespace() || c.is_control() || r#"?*<>{}[]:;,\|^~$#%&`""#.contains(c);
    if let Some(c) = label.chars().find(|c| bad(*c)) {
        fields.bad("Label", format!("Label contains invalid character: '{}'", c.escape_debug()));
    }
}

fn processor(fields: &Fields<'_>, context: Context) -> Option<(Mode, Flow)> {
    let old = fields.has("Iterator");
    let name = if old { "Iterator" } else { "ItemProcessor" };
    let value = fields.required(name)?;
    let inner = Fields::new(value, fields.at(name), fields.problems())?;
    inner.text("Comment");
    let mode = inner.get("ProcessorConfig").map_or(Some(Mode::Inline), |v| mode(&inner, v))?;
    let express = mode == Mode::Distributed { express: true };
    let flow = super::flow::parse(&inner, Context { express: context.express || express, ..context });
    inner.finish();
    flow.map(|f| (mode, f))
}

fn mode(inner: &Fields<'_>, value: &Value) -> Option<Mode> {
    let config = Fields::new(value, inner.at("ProcessorConfig"), inner.problems())?;
    let mode = config.one_of("Mode", &["INLINE", "DISTRIBUTED"]);
    let kind = config.one_of("ExecutionType", &["STANDARD", "EXPRESS"]);
    let found = match (mode, kind) {
        (None | Some("INLINE"), None) => Some(Mode::Inline),
        (Some("DISTRIBUTED"), Some(kind)) => Some(Mode::Distributed { express: kind == "EXPRESS" }),
        (Some("DISTRIBUTED"), None) => {
            config.bad_here("The field 'ExecutionType' is required but was missing");
            None
        }
        _ => {
            config.bad("ExecutionType", "ExecutionType belongs to a Map in DISTRIBUTED mode");
            None
        }
    };
    config.finish();
    found
}

fn selector(fields: &Fields<'_>, language: Language) -> (Option<crate::query::Template>, &'static str) {
    if language == Language::JsonPath && fields.has("Parameters") {
        return (template(fields, "Parameters", language), "Parameters");
    }
    (template(fields, "ItemSelector", language), "ItemSelector")
}

fn items(fields: &Fields<'_>, language: Language) -> Items {
    if language == Language::JsonPath {
        return match fields.has("ItemsPath") {
            true => super::state::path(fields, "ItemsPath").map_or(Items::Input, Items::Path),
            false => Items::Input,
        };
    }
    if let Some(value) = fields.get("Items")
        && !(value.is_array() || value.as_str().is_some_and(|t| t.starts_with("{%")))
    {
        fields.bad("Items", format!("Expected an array or a JSONata expression, found {value}"));
    }
    template(fields, "Items", language).map_or(Items::Input, Items::Template)
}

/// `Arguments` in JSONata, `Parameters` in JSONPath.
fn arguments(inner: &Fields<'_>, language: Language) -> Option<crate::query::Template> {
    let name = if language == Language::Jsonata { "Arguments" } else { "Parameters" };
    template(inner, name, language)
}

fn reader(fields: &Fields<'_>, value: &Value, language: Language) -> Option<Reader> {
    let inner = Fields::new(value, fields.at("ItemReader"), fields.problems())?;
    inner.required("Resource");
    let resource =
        inner.one_of("Resource", &["arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"]);
    let list = resource.is_some_and(|r| r.ends_with("listObjectsV2"));
    let arguments = arguments(&inner, language);
    let mut reader =
        Reader { list, arguments, format: Format::Listing, max_items: None, items_pointer: None };
    match inner.get("ReaderConfig") {
        Some(config) => read_config(&inner, config, language, &mut reader),
        None if !list => inner.bad_here("The field 'ReaderConfig' is required but was missing"),
        None => {}
    }
    inner.finish();
    resource.map(|_| reader)
}

fn read_config(inner: &Fields<'_>, value: &Value, language: Language, reader: &mut Reader) {
    let Some(config) = Fields::new(value, inner.at("ReaderConfig"), inner.problems()) else { return };
    reader.max_items = number(&config, "MaxItems", "MaxItemsPath", language, (0.0, MAX_ITEMS));
    reader.items_pointer = config.text("ItemsPointer").map(str::to_owned);
    if reader.items_pointer.as_deref().is_some_and(|p| !p.is_empty() && !p.starts_with('/')) {
        config.bad("ItemsPointer", "Value is not a valid JSONPointer");
    }
    let flatten = reader.list
        && config.one_of("Transformation", &["NONE", "LOAD_AND_FLATTEN"]) == Some("LOAD_AND_FLATTEN");
    if flatten || !reader.list {
        reader.format = format(&config, reader.list);
    }
    if reader.items_pointer.is_some() && reader.format != Format::Json {
        config.bad("ItemsPointer", "ItemsPointer belongs to the InputType JSON");
    }
    config.finish();
}

fn format(config: &Fields<'_>, list: bool) -> Format {
    config.required("InputType");
    match config.one_of("InputType", &["JSON", "JSONL", "CSV", "PARQUET", "MANIFEST"]) {
        Some("JSONL") => Format::JsonLines,
        Some("CSV") => csv(config),
        Some("MANIFEST") if list => {
            config.bad("InputType", "The objects of a listing cannot be read as MANIFEST");
            Format::Inventory
        }
        Some("MANIFEST") => inventory(config),
        Some("PARQUET") => {
            config.bad("InputType", "The InputType PARQUET is not supported by this engine");
            Format::Json
        }
        _ => Format::Json,
    }
}

/// An S3 inventory unless it is said otherwise: manifests had no type before there were others.
fn inventory(config: &Fields<'_>) -> Format {
    if config.one_of("ManifestType", &["S3_INVENTORY", "ATHENA_DATA"]) == Some("ATHENA_DATA") {
        config.bad("ManifestType", "The ManifestType ATHENA_DATA is not supported by this engine");
    }
    Format::Inventory
}

fn csv(config: &Fields<'_>) -> Format {
    config.required("CSVHeaderLocation");
    let given = config.one_of("CSVHeaderLocation", &["FIRST_ROW", "GIVEN"]) == Some("GIVEN");
    let headers =
        config.list("CSVHeaders").map(|l| l.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
    if given && headers.is_none() {
        config.bad_here("The field 'CSVHeaders' is required but was missing");
    }
    let names = ["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"];
    let delimiter = match config.one_of("CSVDelimiter", &names) {
        Some("PIPE") => '|',
        Some("SEMICOLON") => ';',
        Some("SPACE") => ' ',
        Some("TAB") => '\t',
        _ => ',',
    };
    Format::Csv { headers: headers.filter(|_| given), delimiter }
}

fn batcher(fields: &Fields<'_>, value: &Value, language: Language) -> Option<Batcher> {
    let inner = Fields::new(value, fields.at("ItemBatcher"), fields.problems())?;
    let batcher = Batcher {
        max_items: number(&inner, "MaxItemsPerBatch", "MaxItemsPerBatchPath", language, (1.0, MAX_ITEMS)),
        max_bytes: number(
            &inner,
            "MaxInputBytesPerBatch",
            "MaxInputBytesPerBatchPath",
            language,
            (1.0, MAX_BATCH_BYTES),
        ),
        input: template(&inner, "BatchInput", language),
    };
    if batcher.max_items.is_none() && batcher.max_bytes.is_none() {
        inner.bad_here("One of 'MaxItemsPerBatch' and 'MaxInputBytesPerBatch' is required");
    }
    inner.finish();
    Some(batcher)
}

fn writer(fields: &Fields<'_>, value: &Value, language: Language) -> Option<Writer> {
    let inner = Fields::new(value, fields.at("ResultWriter"), fields.problems())?;
    let exports = inner.one_of("Resource", &["arn:aws:states:::s3:putObject"]).is_some();
    let arguments = arguments(&inner, language);
    if exports != arguments.is_some() {
        inner.bad_here("'Resource' and its arguments belong together");
    }
    let mut writer = Writer {
        arguments,
        transformation: if exports { Transformation::None } else { Transformation::Compact },
        lines: false,
    };
    if let Some(config) = inner.get("WriterConfig") {
        write_config(&inner, config, &mut writer);
    } else if !exports {
        inner.bad_here("One of 'Resource' and 'WriterConfig' is required");
    }
    inner.finish();
    Some(writer)
}

fn write_config(inner: &Fields<'_>, value: &Value, writer: &mut Writer) {
    let Some(config) = Fields::new(value, inner.at("WriterConfig"), inner.problems()) else { return };
    config.required("Transformation");
    config.required("OutputType");
    writer.transformation = match config.one_of("Transformation", &["NONE", "COMPACT", "FLATTEN"]) {
        Some("COMPACT") => Transformation::Compact,
        Some("FLATTEN") => Transformation::Flatten,
        _ => Transformation::None,
    };
    writer.lines = config.one_of("OutputType", &["JSON", "JSONL"]) == Some("JSONL");
    config.finish();
}

/// Children in parallel when a Map does not say.
pub(crate) const DEFAULT_PARALLEL: u64 = MAX_PARALLEL as u64;
