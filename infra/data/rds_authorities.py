"""The certificate authorities that sign RDS' servers, one a region: what `verify-full` verifies against.

`rds_authorities.pem` holds the root of each region's `rds-ca-rsa2048-g1`, which every server here asks for. AWS
publishes the same roots at https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem; they end in 2061.
"""

from __future__ import annotations

import re
from pathlib import Path

_FILE = Path(__file__).with_name("rds_authorities.pem")
_ENTRY = re.compile(
    r"^# (?P<region>[a-z0-9-]+): .*\n(?P<pem>-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]+\n)+"
    r"-----END CERTIFICATE-----\n)",
    re.MULTILINE,
)


class UnknownAuthorityError(ValueError):
    """A region whose authority is not in the file."""


def authorities() -> dict[str, str]:
    """Root certificate, in PEM, by region."""
    return {entry["region"]: entry["pem"] for entry in _ENTRY.finditer(_FILE.read_text(encoding="ascii"))}


def bundle(*regions: str) -> str:
    """Root certificates of some regions, in one PEM document.

    Args:
        *regions: Regions whose servers are reached; a repeated one counts once.

    Raises:
        UnknownAuthorityError: When a region is not in the file.
    """
    known = authorities()
    missing = sorted(set(regions) - set(known))
    if missing:
        raise UnknownAuthorityError(
            f"no RDS certificate authority for {', '.join(missing)} in {_FILE.name}; add the region's "
            "'Root CA RSA2048 G1' from AWS' global-bundle.pem"
        )
    return "".join(known[region] for region in sorted(set(regions)))
