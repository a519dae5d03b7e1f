"""Renders `iam.get_policy_document` as the provider does: real JSON, statements merged by Sid."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from infra.local.providers.plugin import RefusedError
from infra.local.providers.values import Map, Value, entries, fields, plain, text

_LISTS: Final = (
    ("actions", "Action"),
    ("notActions", "NotAction"),
    ("resources", "Resource"),
    ("notResources", "NotResource"),
)
_PRINCIPALS: Final = (("principals", "Principal"), ("notPrincipals", "NotPrincipal"))


def _folded(values: list[Value]) -> Value:
    """Write one value alone and several sorted the other way round, as the provider does."""
    texts = sorted({text(value) for value in values}, reverse=True)
    return texts[0] if len(texts) == 1 else list[Value](texts)


def _principals(blocks: list[Value]) -> Value:
    made: Map = {}
    for block in blocks:
        kind, identifiers = text(fields(block).get("type")), entries(fields(block).get("identifiers"))
        if kind == "*" and [text(one) for one in identifiers] == ["*"]:
            return "*"
        made[kind] = _folded([*entries(made.get(kind)), *identifiers])
    return made


def _conditions(blocks: list[Value]) -> Map:
    made: dict[str, Map] = {}
    for block in blocks:
        condition = fields(block)
        test = made.setdefault(text(condition.get("test")), {})
        test[text(condition.get("variable"))] = _folded(entries(condition.get("values")))
    return {test: dict(variables) for test, variables in made.items()}


def _statement(given: Map) -> Map:
    made: Map = {}
    if text(given.get("sid")):
        made["Sid"] = text(given.get("sid"))
    made["Effect"] = text(given.get("effect")) or "Allow"
    for source, target in _LISTS:
        if entries(given.get(source)):
            made[target] = _folded(entries(given.get(source)))
    for source, target in _PRINCIPALS:
        if entries(given.get(source)):
            made[target] = _principals(entries(given.get(source)))
    if entries(given.get("conditions")):
        made["Condition"] = dict(_conditions(entries(given.get("conditions"))))
    return made


def _parsed(documents: Value) -> list[Map]:
    found: list[Map] = []
    for document in entries(documents):
        if not text(document):
            continue
        try:
            statements: Value = fields(json.loads(text(document))).get("Statement")
        except ValueError as problem:
            raise RefusedError(f"a source policy document is no JSON: {problem}") from None
        listed = entries(statements) if isinstance(statements, list) else [statements]
        found += [fields(statement) for statement in listed]
    return found


def policy_document(arguments: Map) -> Map:
    """Answer `aws:iam/getPolicyDocument:getPolicyDocument`."""
    own = [_statement(fields(statement)) for statement in entries(arguments.get("statements"))]
    named = [text(statement.get("Sid")) for statement in own if statement.get("Sid")]
    twice = {sid for sid in named if named.count(sid) > 1}
    if twice:
        raise RefusedError(f"duplicate Sid {sorted(twice)}: statement ids must differ")
    merged: list[Map] = []
    for statement in [
        *_parsed(arguments.get("sourcePolicyDocuments")),
        *own,
        *_parsed(arguments.get("overridePolicyDocuments")),
    ]:
        sid = text(statement.get("Sid"))
        place = next(
            (index for index, known in enumerate(merged) if sid and text(known.get("Sid")) == sid), None
        )
        if place is None:
            merged.append(statement)
        else:
            merged[place] = statement
    document: Map = {"Version": text(plain(arguments.get("version"))) or "2012-10-17"}
    if text(arguments.get("policyId")):
        document["Id"] = text(arguments.get("policyId"))
    document["Statement"] = list[Value](merged)
    rendered = json.dumps(document, indent=2)
    return {
        "id": str(int(hashlib.sha256(rendered.encode()).hexdigest()[:8], 16)),
        "json": rendered,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }
