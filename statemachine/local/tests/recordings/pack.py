"""Packs a folder of recorded cases, always to the same bytes: python3 pack.py CASES_DIR cases.jsonl.gz"""
import glob, gzip, io, json, os, sys

# What running and comparing need; the rest of a case tells about the suite that it comes from.
FIELDS = """id source recorded kind group features definition definition_text runs state_machines activities lambdas s3
    steps expected expected_errors placeholders wildcards normalise concurrent derived_keys dynamic_input""".split()


def packed(case):
    kept = {name: case[name] for name in FIELDS if case.get(name) is not None}
    kept["placeholders"] = [{k: p[k] for k in ("token", "pattern", "same_value")} for p in case.get("placeholders", [])]
    if "wildcards" in kept:
        kept["wildcards"] = [w["value"] for w in kept["wildcards"]]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n"


def main(folder, archive):
    lines = []
    for name in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(name, encoding="utf-8") as file:
            lines.append(packed(json.load(file)))
    packed_bytes = io.BytesIO()
    # No name and no time in the header.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed_bytes, mtime=0) as out:
        out.write("".join(lines).encode())
    with open(archive, "wb") as file:
        file.write(packed_bytes.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
