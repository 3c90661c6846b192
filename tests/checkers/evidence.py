"""Checks an evidence pack with Python alone: nothing of ours but what docs/evidence.md says of the format. Prints what it found
as JSON; ends with an AssertionError that says what does not hold."""

import base64
import binascii
import hashlib
import json
import sys
import tarfile
import zlib

# Polynomials in reflected form, and widths, of the CRC catalogue: CRC-64/NVME, CRC-32/ISCSI, CRC-32/ISO-HDLC.
CRCS = {
    "CRC64NVME": (0x9A6C9329AC4BC9B5, 64),
    "CRC32C": (0x82F63B78, 32),
    "CRC32": (0xEDB88320, 32),
}


def behind(crc, zeros, polynomial):
    """A CRC, when so many zero bytes follow, without its first and last inversion: a matrix over GF(2), by squaring."""

    def times(matrix, vector):
        result, row = 0, 0
        while vector:
            if vector & 1:
                result ^= matrix[row]
            vector, row = vector >> 1, row + 1
        return result

    width = polynomial.bit_length()
    matrix = [polynomial] + [1 << bit for bit in range(width - 1)]
    for _ in range(3):
        matrix = [times(matrix, row) for row in matrix]
    while zeros:
        if zeros & 1:
            crc = times(matrix, crc)
        matrix, zeros = [times(matrix, row) for row in matrix], zeros >> 1
    return crc


def combined(parts, algorithm):
    polynomial, width = CRCS[algorithm]
    whole = 0
    for part in parts:
        checksum = part["record"]["checksum"]
        assert checksum["algorithm"] == algorithm, part
        whole = behind(whole, part["size"], polynomial) ^ int.from_bytes(base64.b64decode(checksum["value"]), "big")
    return base64.b64encode(whole.to_bytes(width // 8, "big")).decode()


def is_md5(etag):
    return len(etag) == 32 and all(letter in "0123456789abcdef" for letter in etag)


def read(path):
    """Every file of the pack, none of them unpacked."""
    files = {}
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            assert member.isreg() and member.name not in files, member.name
            assert not member.name.startswith("/") and ".." not in member.name.split("/"), member.name
            assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644), member.name
            files[member.name] = archive.extractfile(member).read()
    return files


def lines(files, name):
    return [json.loads(line) for line in files[name].splitlines()]


def sums(files):
    told = dict(reversed(line.split("  ", 1)) for line in files["SHA256SUMS"].decode().splitlines())
    assert set(told) == set(files) - {"SHA256SUMS"}, set(told) ^ set(files)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["format"], manifest["formatVersion"]) == ("transload-evidence", 1), manifest
    listed = {file["name"]: file for file in manifest["files"]}
    assert set(listed) == set(files) - {"SHA256SUMS", "manifest.json"}
    for name, sha256 in told.items():
        assert hashlib.sha256(files[name]).hexdigest() == sha256, name
    for name, file in listed.items():
        assert (file["size"], file["sha256"]) == (len(files[name]), told[name]), name
    return manifest


def history(events, execution):
    assert [event["id"] for event in events] == list(range(1, len(events) + 1)), execution["executionArn"]
    assert all(event["previousEventId"] < event["id"] for event in events)
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert events[0]["type"] == "ExecutionStarted"
    assert events[0]["executionStartedEventDetails"]["input"] == execution["input"]
    ends = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed", "ABORTED": "ExecutionAborted", "TIMED_OUT": "ExecutionTimedOut"}
    assert events[-1]["type"] == ends[execution["status"]], execution


def histories(files):
    execution = json.loads(files["execution.json"])
    assert execution["input"].encode() == files["input.json"]
    history(lines(files, "history.jsonl"), execution)
    found, begun, events = 1, None, []
    for line in lines(files, "children.jsonl") + [{"begin": None}]:
        if "event" in line:
            events.append(line["event"])
            continue
        if begun:
            history(events, begun["execution"])
            found += 1
        begun, events = line["begin"], []
        if begun and begun["definition"]:
            definition = files[f"definitions/{begun['definition']}.asl.json"]
            assert hashlib.sha256(definition).hexdigest() == begun["definition"]
    versions = json.loads(files["versions.json"])
    assert hashlib.sha256(files["definition.asl.json"]).hexdigest() == versions["machine"]["definitionSha256"]
    return found


def object_of(line, parts):
    """Whether the parts make up the object: tells how that could be shown."""
    written = line["written"]
    assert written["size"] == line["source"]["size"]
    shown = []
    if written["parts"]:
        assert [part["partNumber"] for part in parts] == list(range(1, written["parts"] + 1))
        offset = 0
        for part in parts:
            assert part["offset"] == offset, part
            offset += part["size"]
        assert offset == written["size"]
        shown.append("covered")
    checksum, told = written.get("checksum"), all(part["record"] for part in parts)
    if checksum and parts and told and checksum["kind"] == "FULL_OBJECT" and checksum["algorithm"] in CRCS:
        assert combined(parts, checksum["algorithm"]) == checksum["value"], line
        shown.append("combined")
    if parts and told and all(is_md5(part["record"]["etag"]) for part in parts):
        md5s = b"".join(binascii.unhexlify(part["record"]["etag"]) for part in parts)
        if f"{hashlib.md5(md5s).hexdigest()}-{len(parts)}" == written["etag"]:
            shown.append("etag")
    source = line["source"].get("checksum")
    if source and checksum and (source["algorithm"], source["kind"]) == (checksum["algorithm"], "FULL_OBJECT"):
        assert source["value"] == checksum["value"], line
        shown.append("source")
    return shown


def main(path):
    # The combination against zlib's own CRC-32.
    first, second = b"123", b"456789"
    joined = behind(zlib.crc32(first), len(second), CRCS["CRC32"][0]) ^ zlib.crc32(second)
    assert joined == zlib.crc32(first + second)
    files = read(path)
    manifest = sums(files)
    parts, shown = lines(files, "parts.jsonl"), {}
    executions = histories(files)
    for line in lines(files, "checksums.jsonl"):
        if line["written"]:
            own = [part for part in parts if part["executionArn"] == line["executionArn"]]
            for how in object_of(line, own):
                shown[how] = shown.get(how, 0) + 1
    rows = sum(1 for name in files if name.startswith("work/"))
    found = {"files": len(files), "executions": executions, "parts": len(parts), "work": rows, "shown": shown}
    print(json.dumps({**found, "status": manifest["status"], "missing": manifest["missing"]}))


if __name__ == "__main__":
    main(sys.argv[1])
