"""docs/outputs.md, from the table of outputs in stacks/outputs.py."""

from __future__ import annotations

from infra.docs.markdown import NOTICE, table
from stacks.contract import VERSION, PrimaryContract
from stacks.outputs import OUTPUTS

_INTRODUCTION = (
    "What `pulumi stack output --json` shows (locally: `bin/pulumi-local stack output --json`). Secret outputs are "
    "encrypted in the state and shown only with `--show-secrets`."
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
        for name, field in PrimaryContract.model_fields.items()
    ]
    return (
        "\n\n".join(
            (
                "# Outputs",
                NOTICE,
                _INTRODUCTION,
                table(["name", "type", "meaning", "secret", "which stacks"], rows),
                f"## The contract, version {VERSION}",
                "A secondary region reads the output `contract` of its primary and refuses another version.",
                table(["field", "meaning"], fields),
            )
        )
        + "\n"
    )
