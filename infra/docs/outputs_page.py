"""docs/outputs.md, from the table of outputs in stacks/outputs.py."""

from __future__ import annotations

from infra.docs.markdown import NOTICE, table
from stacks.contract import VERSION, RegionContract
from stacks.outputs import OUTPUTS

_INTRODUCTION = (
    "What `pulumi stack output --json` shows (locally: `bin/pulumi-local stack output --json`). Secret outputs are "
    "encrypted in the state and shown only with `--show-secrets`."
)

_CONTRACT = (
    "A region reads the output `contract` of its primary, of the edge's owner and of the networks it connects to, "
    "and refuses another version."
)


def page() -> str:
    """The whole page."""
    rows = [
        [
            f"`{spec.name}`",
            spec.type,
            spec.meaning,
            "yes" if spec.secret else "no",
            "stacks with the edge" if spec.edge_only else "all stacks",
        ]
        for spec in OUTPUTS
    ]
    fields = [
        [f"`{field.alias or name}`", " ".join((field.description or name.replace("_", " ")).split())]
        for name, field in RegionContract.model_fields.items()
    ]
    return (
        "\n\n".join(
            (
                "# Outputs",
                NOTICE,
                _INTRODUCTION,
                table(["name", "type", "meaning", "secret", "which stacks"], rows),
                f"## The contract, version {VERSION}",
                _CONTRACT,
                table(["field", "meaning"], fields),
            )
        )
        + "\n"
    )
