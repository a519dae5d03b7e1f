"""The way from one Kubernetes version to the next: which steps EKS takes, and when one is due."""

from __future__ import annotations

import datetime as dt

from infra.cluster.versions import STANDARD_SUPPORT, minor

WARNING_DAYS = 90
"""Days before the end of standard support from which every preview warns.

EKS releases a minor every four months or so, and an upgrade goes through staging and a region at a time.
"""


def refusal(*, running: str, wanted: str) -> str | None:
    """Why a cluster cannot go from one version to another, None where it can.

    EKS upgrades a control plane by one minor at a time and never back
    (https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html).

    Args:
        running: Version of the control plane, e.g. `1.34`.
        wanted: Version that the settings ask for.
    """
    (major, old), (new_major, new) = minor(running), minor(wanted)
    if major != new_major:
        return f"EKS upgrades within a major version; from {running} it goes to {major}.{old + 1}"
    if new < old:
        return f"EKS never goes back; set {running} again, or restore into a new cluster"
    if new > old + 1:
        way = ", ".join(f"{major}.{step}" for step in range(old + 1, new + 1))
        return f"EKS upgrades one minor at a time; set and apply each in turn: {way}"
    return None


def support_warning(version: str, *, today: dt.date) -> str | None:
    """A sentence where standard support ends soon or has ended, None while there is time.

    Args:
        version: Version of the cluster.
        today: The day to reckon from.
    """
    end = dt.date.fromisoformat(STANDARD_SUPPORT[version])
    left = (end - today).days
    if left > WARNING_DAYS:
        return None
    when = f"ends on {end} ({left} days)" if left >= 0 else f"ended on {end}"
    newer = [other for other in STANDARD_SUPPORT if minor(other) > minor(version)]
    to_do = (
        f"upgrade to {min(newer, key=minor)}" if newer else "pin a newer version in infra/cluster/versions.py"
    )
    return (
        f"EKS standard support of Kubernetes {version} {when}; after it AWS upgrades the control plane by itself. "
        f"To do: {to_do} (docs/runbooks/kubernetes-upgrade.md)"
    )
