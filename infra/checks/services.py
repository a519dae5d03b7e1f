"""The stack's word on each service of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject
from infra.problems import Problem


def check_services(subject: Subject) -> Iterator[Problem]:
    """Each service of the catalogue is set, with replica bounds in order and a pinned image."""
    known = {service.name for service in subject.catalogue}
    for name in sorted(set(subject.settings.services) ^ known):
        missing = name in known
        yield Problem(
            key=f"parking:services.{name}",
            found="nothing" if missing else "a service that is not in the catalogue",
            allowed=", ".join(sorted(known)),
            why="a stack deploys every service of services/, each with an image",
            action="add it with an image" if missing else "correct the name, or add the service in services/",
        )
    for service in subject.catalogue:
        own = subject.service_settings(service)
        if own is None:
            continue
        key = f"parking:services.{service.name}"
        low, high = subject.bounds(service)
        if low > high:
            yield Problem(
                key=f"{key}.minReplicas",
                found=f"minReplicas {low}, maxReplicas {high}",
                allowed="minReplicas <= maxReplicas",
                why="no autoscaler can keep both",
                action="put them in order; a number left out is the catalogue's",
            )
        image = own.image
        if (image.tag is None) == (image.digest is None) or image.tag == "latest":
            yield Problem(
                key=f"{key}.image",
                found=f"tag {image.tag}, digest {image.digest}",
                allowed="either an immutable tag (not latest) or a digest sha256:...",
                why="what runs must be what was reviewed, on every node and after every restart",
                action="pin one of the two",
            )
