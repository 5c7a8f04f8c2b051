"""Writes the software bill of materials of a staged tree (SPDX 2.3, JSON), the same bytes for the
same tree. usage: sbom.py STAGE VERSION CREATED < name<TAB>version<TAB>license<TAB>purl<TAB>linked|loaded"""

import hashlib
import json
import os
import sys

stage, version, created = sys.argv[1:]


def digest(path, algorithm):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


files = []
for directory, _, names in sorted(os.walk(stage)):
    for name in sorted(names):
        path = os.path.join(directory, name)
        if os.path.islink(path) or name.endswith(".spdx.json"):
            continue
        relative = os.path.relpath(path, stage)
        files.append({
            "SPDXID": f"SPDXRef-File-{len(files)}",
            "fileName": f"./{relative}",
            "checksums": [{"algorithm": label, "checksumValue": digest(path, label.lower())}
                          for label in ("SHA1", "SHA256")],
            "licenseConcluded": "NOASSERTION",
            "copyrightText": "NOASSERTION",
        })

together = hashlib.sha1("".join(sorted(
    file["checksums"][0]["checksumValue"] for file in files)).encode()).hexdigest()
main = {
    "SPDXID": "SPDXRef-coder-cred",
    "name": "coder-cred",
    "versionInfo": version,
    "supplier": "Organization: The coder-cred authors",
    "downloadLocation": "NOASSERTION",
    "filesAnalyzed": True,
    "packageVerificationCode": {"packageVerificationCodeValue": together},
    "licenseConcluded": "MIT",
    "licenseDeclared": "MIT",
    "licenseInfoFromFiles": ["NOASSERTION"],
    "copyrightText": "Copyright (c) 2026 The coder-cred authors",
    "hasFiles": [file["SPDXID"] for file in files],
}
packages, relationships = [main], [{
    "spdxElementId": "SPDXRef-DOCUMENT",
    "relationshipType": "DESCRIBES",
    "relatedSpdxElement": main["SPDXID"],
}]
for line in sorted(sys.stdin):
    name, release, license_, purl, how = line.rstrip("\n").split("\t")
    identifier = f"SPDXRef-{name}"
    packages.append({
        "SPDXID": identifier,
        "name": name,
        "versionInfo": release,
        "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": license_,
        "licenseDeclared": license_,
        "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": purl}],
    })
    relationships.append({
        "spdxElementId": main["SPDXID"],
        "relationshipType": "STATIC_LINK" if how == "linked" else "DYNAMIC_LINK",
        "relatedSpdxElement": identifier,
    })

json.dump({
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": f"coder-cred-{version}",
    "documentNamespace": f"https://github.com/coder-cred/coder-cred/spdx/{version}-{together}",
    "creationInfo": {"created": created, "creators": ["Tool: coder-cred-sbom"]},
    "packages": packages,
    "files": files,
    "relationships": relationships,
}, sys.stdout, indent=1)
print()
