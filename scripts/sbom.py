#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes an SPDX 2.3 bill of materials of the Debian packages in a folder, and validates it.

usage: scripts/sbom.py FOLDER OUT

The folder has what dpkg-buildpackage made. OUT/SOURCE_VERSION.spdx.json lists each package and its files, the source
package, and all packages of Debian that they depend on, in the versions that apt would install here. Nothing in it says
when or where it was made, so that equal packages have equal bills.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

Fields = dict[str, str]

# What the files say in their first lines; those of the module lie in its package and are read there.
PROGRAM_LICENCE = "GPL-2.0-or-later"
TAG = re.compile(rb"SPDX-License-Identifier: ([^\n*]+?)(?: \*/|\n)")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def stanzas(text: str) -> list[Fields]:
    """Paragraphs of "Field: value" lines, as dpkg and apt print them."""
    found = []
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.M))
        if fields:
            found.append(fields)
    return found


def spdx_id(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", lambda m: f"-{ord(m[0]):02x}", name)


def purl(name: str, version: str, arch: str) -> dict[str, str]:
    quoted = version.replace("+", "%2B").replace(":", "%3A")
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name.replace('+', '%2B')}@{quoted}?arch={arch}"}


def hashes(data: bytes, *names: str) -> list[dict[str, str]]:
    return [{"algorithm": name, "checksumValue": hashlib.new(name, data).hexdigest()} for name in names]


class Archive:
    """What apt knows of Debian's packages."""

    def __init__(self) -> None:
        self.packages: dict[str, Fields] = {}
        self.providers: dict[str, str] = {}
        for fields in stanzas(run("apt-cache", "dumpavail")):
            if fields.get("Architecture") in ("amd64", "all"):
                self.packages.setdefault(fields["Package"], fields)
        # Of several providers the first by name, so that it is always the same.
        for name in sorted(self.packages, reverse=True):
            for provided in names_in(self.packages[name].get("Provides", "")):
                self.providers[provided[0]] = name

    def choose(self, alternatives: list[str]) -> str:
        for name in alternatives:
            if name in self.packages:
                return name
        for name in alternatives:
            if name in self.providers:
                return self.providers[name]
        raise SystemExit(f"sbom: no package of Debian is {' or '.join(alternatives)}")


def names_in(depends: str) -> list[list[str]]:
    """Of each dependency the names of its alternatives, without versions and architectures."""
    return [[re.split(r"[ (:\[]", name.strip())[0] for name in part.split("|")]
            for part in depends.split(",") if part.strip()]


def needs(fields: Fields) -> list[list[str]]:
    return names_in(fields.get("Pre-Depends", "")) + names_in(fields.get("Depends", ""))


class Bill:
    def __init__(self) -> None:
        self.files: list[dict] = []
        self.packages: list[dict] = []
        self.relations: set[tuple[str, str, str]] = set()

    def add_source(self, dsc: Path) -> str:
        fields = stanzas(dsc.read_text())[0]
        ref = spdx_id("source", fields["Source"])
        self.packages.append({
            "SPDXID": ref, "name": fields["Source"], "versionInfo": fields["Version"],
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "copyrightText": "NOASSERTION",
            "packageFileName": dsc.name, "primaryPackagePurpose": "SOURCE",
            "checksums": hashes(dsc.read_bytes(), "SHA256"),
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "externalRefs": [purl(fields["Source"], fields["Version"], "source")]})
        self.relations.add(("SPDXRef-DOCUMENT", "DESCRIBES", ref))
        return ref

    def add_file(self, owner: str, root: Path, path: Path) -> tuple[str, str]:
        """Returns its SHA-1, of which the package's verification code is made, and its licence."""
        data = path.read_bytes()
        name = "./" + str(path.relative_to(root))
        tag = TAG.search(data[:400])
        licence = tag[1].decode().strip() if tag else "NOASSERTION"
        ref = spdx_id("file", owner + name[1:])
        self.files.append({
            "SPDXID": ref, "fileName": name, "checksums": hashes(data, "SHA1", "SHA256"),
            "licenseConcluded": "NOASSERTION", "licenseInfoInFiles": licence_list(licence),
            "copyrightText": "NOASSERTION"})
        return self.files[-1]["checksums"][0]["checksumValue"], licence

    def add_deb(self, deb: Path, source: str) -> tuple[str, Fields]:
        fields = stanzas(run("dpkg-deb", "-f", str(deb)))[0]
        name = fields["Package"]
        ref = spdx_id("package", name)
        with tempfile.TemporaryDirectory() as root:
            run("dpkg-deb", "-x", str(deb), root)
            paths = sorted(p for p in Path(root).rglob("*") if p.is_file() and not p.is_symlink())
            found = [self.add_file(name, Path(root), path) for path in paths]
        first = len(self.files) - len(found)
        for file in self.files[first:]:
            self.relations.add((ref, "CONTAINS", file["SPDXID"]))
        code = hashlib.sha1("".join(sorted(sha1 for sha1, _ in found)).encode()).hexdigest()
        module = sorted({licence for _, licence in found} - {"NOASSERTION"}) if name.endswith("-dkms") else []
        licence = " AND ".join(f"({one})" if " " in one else one for one in module) or PROGRAM_LICENCE
        self.packages.append({
            "SPDXID": ref, "name": name, "versionInfo": fields["Version"], "packageFileName": deb.name,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": True, "copyrightText": "NOASSERTION",
            "packageVerificationCode": {"packageVerificationCodeValue": code},
            "checksums": hashes(deb.read_bytes(), "SHA256"), "summary": fields["Description"].split("\n")[0],
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "licenseInfoFromFiles": sorted({one for _, each in found for one in licence_list(each)}),
            "externalRefs": [purl(name, fields["Version"], fields["Architecture"])]})
        self.relations.add(("SPDXRef-DOCUMENT", "DESCRIBES", ref))
        self.relations.add((ref, "GENERATED_FROM", source))
        return ref, fields

    def add_dependencies(self, ours: dict[str, tuple[str, Fields]], archive: Archive) -> None:
        """All that ours depend on, and all that these depend on."""
        waiting = [(ref, fields) for ref, fields in ours.values()]
        known = {name: ref for name, (ref, _) in ours.items()}
        while waiting:
            ref, fields = waiting.pop()
            for alternatives in needs(fields):
                name = next((n for n in alternatives if n in ours), None) or archive.choose(alternatives)
                if name not in known:
                    known[name] = self.add_debian(archive.packages[name])
                    waiting.append((known[name], archive.packages[name]))
                self.relations.add((ref, "DEPENDS_ON", known[name]))

    def add_debian(self, fields: Fields) -> str:
        ref = spdx_id("debian", fields["Package"])
        self.packages.append({
            "SPDXID": ref, "name": fields["Package"], "versionInfo": fields["Version"],
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "supplier": "Organization: Debian",
            "copyrightText": "NOASSERTION", "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "externalRefs": [purl(fields["Package"], fields["Version"], fields["Architecture"])]})
        return ref

    def document(self, name: str, created: datetime) -> dict:
        """Its name on the network follows from what it describes."""
        sums = "".join(sorted(p["checksums"][0]["checksumValue"] for p in self.packages if "checksums" in p))
        return {
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
            "documentNamespace": f"https://qlink.invalid/spdx/{name}-{hashlib.sha256(sums.encode()).hexdigest()}",
            "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: scripts/sbom.py"]},
            "packages": sorted(self.packages, key=lambda p: p["SPDXID"]),
            "files": sorted(self.files, key=lambda f: f["SPDXID"]),
            "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
                              for a, kind, b in sorted(self.relations)]}


def licence_list(expression: str) -> list[str]:
    """A file's own list has no expression with an exception in it."""
    return [expression.replace(" WITH Linux-syscall-note", "")]


def validate(path: Path) -> None:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    faults = validate_full_spdx_document(parse_file(str(path)))
    for fault in faults[:20]:
        print(f"sbom: {path}: {fault.validation_message}", file=sys.stderr)
    if faults:
        raise SystemExit(1)


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    dsc, = folder.glob("*.dsc")
    changes, = folder.glob("*.changes")
    created = parsedate_to_datetime(stanzas(changes.read_text())[0]["Date"]).astimezone(timezone.utc)
    bill = Bill()
    source = bill.add_source(dsc)
    debs = sorted(deb for deb in folder.glob("*.deb") if "-dbgsym_" not in deb.name)
    ours = {}
    for deb in debs:
        ref, fields = bill.add_deb(deb, source)
        ours[fields["Package"]] = (ref, fields)
    bill.add_dependencies(ours, Archive())
    path = out / f"{dsc.stem}.spdx.json"
    path.write_text(json.dumps(bill.document(dsc.stem, created), indent=1) + "\n")
    validate(path)
    print(f"{path}: {len(debs)} packages, {len(bill.files)} files, {len(bill.packages) - len(debs) - 1} dependencies")


if __name__ == "__main__":
    main()
