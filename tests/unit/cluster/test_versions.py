"""Pinned versions of charts and add-ons."""

import re

import pytest

from infra.checks.cluster import STANDARD_SUPPORT
from infra.cluster import versions
from infra.model.stack import ClusterSettings


def test_the_default_kubernetes_version_is_supported_by_every_pin() -> None:
    versions.check(ClusterSettings().version)


def test_a_newer_kubernetes_names_every_pin_that_stands_in_the_way() -> None:
    with pytest.raises(versions.VersionError) as error:
        versions.check("1.37")

    for chart in versions.CHARTS:
        assert chart.chart in str(error.value)
    for add_on in versions.EKS_ADD_ONS:
        assert add_on.name in str(error.value)


def test_an_older_kubernetes_than_the_pins_know_is_refused() -> None:
    with pytest.raises(versions.VersionError, match=r"1\.28"):
        versions.check("1.28")


@pytest.mark.parametrize("chart", versions.CHARTS, ids=lambda chart: chart.chart)
def test_a_chart_is_pinned_to_one_release_over_https(chart: versions.Chart) -> None:
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", chart.version)
    assert chart.repository.startswith("https://")


@pytest.mark.parametrize("add_on", versions.EKS_ADD_ONS, ids=lambda add_on: add_on.name)
def test_an_eks_add_on_is_pinned_to_one_build(add_on: versions.EksAddOnVersion) -> None:
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", version) for version in add_on.versions.values())


def test_an_add_on_without_a_version_says_how_to_find_one() -> None:
    with pytest.raises(versions.VersionError, match="describe-addon-versions"):
        versions.COREDNS.for_kubernetes("1.99")


def test_what_follows_kubernetes_has_its_minor() -> None:
    for minor, tag in versions.CLUSTER_AUTOSCALER_IMAGES.items():
        assert tag.startswith(f"v{minor}.")
    for minor, version in versions.KUBE_PROXY.versions.items():
        assert version.startswith(f"v{minor}.")


def test_istio_charts_move_together() -> None:
    assert len({chart.version for chart in (versions.ISTIO_BASE, versions.ISTIO_CNI, versions.ISTIOD)}) == 1


def test_settings_allow_exactly_the_versions_that_add_ons_are_pinned_for() -> None:
    assert set(STANDARD_SUPPORT) == set(versions.CLUSTER_AUTOSCALER_IMAGES)
    for version in STANDARD_SUPPORT:
        versions.check(version)
