"""Topics, logs, alarms, schedules, budgets and checks in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Row, listed, objects

Json = Any
_TOPIC: Final = {"TopicArn": "{id}"}
_GROUP: Final = {"logGroupName": "{name}"}


def _topic_attributes(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """What a topic has beside its name, as texts."""
    names = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
    arguments["Attributes"] = {
        member: str(values[name]) for name, member in names.items() if values.get(name) is not None
    }


def _topic_attribute(name: str, member: str) -> Call:
    given = {**_TOPIC, "AttributeName": member, "AttributeValue": f"{{{name}}}"}
    return Call(operation="set_topic_attributes", given=given, when=name, needs=name)


_POLICY: Final = Call(
    operation="set_topic_attributes",
    given={"TopicArn": "{arn}", "AttributeName": "Policy", "AttributeValue": "{policy}"},
)

_TOPICS: Final[Mapping[str, Row]] = {
    "sns:Topic": Row(
        service="sns",
        create=(
            Call(operation="create_topic", carries=True, given={"Name": "{name}"}, finish=_topic_attributes),
        ),
        id="TopicArn",
        read=Call(operation="get_topic_attributes", given=_TOPIC),
        found="Attributes",
        names={"name": "Name", "displayName": "DisplayName"},
        blind="policy name",
        update=(
            _topic_attribute("displayName", "DisplayName"),
            _topic_attribute("kmsMasterKeyId", "KmsMasterKeyId"),
            _topic_attribute("policy", "Policy"),
        ),
        delete=(Call(operation="delete_topic", given=_TOPIC),),
        tags="{id}",
    ),
    "sns:TopicPolicy": Row(
        service="sns",
        create=(_POLICY,),
        id="{arn}",
        read=Call(operation="get_topic_attributes", given={"TopicArn": "{arn}"}),
        found="Attributes",
        sees={"policy": "Policy"},
        update=(_POLICY,),
        # A topic always has one, and goes with it.
        delete=(),
    ),
    "sns:TopicSubscription": Row(
        service="sns",
        create=(
            Call(
                operation="subscribe",
                given={
                    "TopicArn": "{topic}",
                    "Protocol": "{protocol}",
                    "Endpoint": "{endpoint}",
                    "ReturnSubscriptionArn": True,
                },
            ),
        ),
        id="SubscriptionArn",
        read=Call(operation="get_subscription_attributes", given={"SubscriptionArn": "{id}"}),
        found="Attributes",
        delete=(Call(operation="unsubscribe", given={"SubscriptionArn": "{id}"}),),
    ),
}

_RETENTION: Final = Call(
    operation="put_retention_policy",
    given={**_GROUP, "retentionInDays": "{retentionInDays}"},
    when="retentionInDays",
    needs="retentionInDays",
    finish=lambda arguments, _: arguments.update(retentionInDays=int(arguments["retentionInDays"])),
)

_LOGS: Final[Mapping[str, Row]] = {
    "cloudwatch:LogGroup": Row(
        service="logs",
        create=(Call(operation="create_log_group", carries=True, given=_GROUP), _RETENTION),
        id="{name}",
        read=Call(operation="describe_log_groups", given={"logGroupNamePrefix": "{name}"}),
        found="logGroups[?logGroupName=='{name}'] | [0]",
        names={"name": "logGroupName"},
        update=(
            _RETENTION,
            Call(
                operation="delete_retention_policy",
                given=_GROUP,
                when="retentionInDays",
                unless="retentionInDays",
            ),
            Call(
                operation="associate_kms_key",
                given={**_GROUP, "kmsKeyId": "{kmsKeyId}"},
                when="kmsKeyId",
                needs="kmsKeyId",
            ),
        ),
        delete=(Call(operation="delete_log_group", given=_GROUP),),
        tags="{arn}",
    ),
}


def _metrics(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A metric among an alarm's queries is a statistic of its own."""
    if arguments.get("AlarmActions") is None:
        arguments["ActionsEnabled"] = bool(values.get("actionsEnabled", True))
    queries: list[dict[str, Json]] = []
    for query in objects(values, "metricQueries"):
        written: dict[str, Json] = {"Id": query["id"]}
        for name, member in (("expression", "Expression"), ("label", "Label"), ("accountId", "AccountId")):
            if query.get(name):
                written[member] = query[name]
        if query.get("returnData") is not None:
            written["ReturnData"] = bool(query["returnData"])
        for metric in objects(query, "metric"):
            named = {"MetricName": metric["metricName"], "Namespace": metric.get("namespace")}
            dimensions = [*objects(metric, "dimensions"), {}][0]
            pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            written["MetricStat"] = {
                "Metric": {**{key: value for key, value in named.items() if value}, "Dimensions": pairs},
                "Period": int(metric["period"]),
                "Stat": metric["stat"],
            }
        queries.append(written)
    if queries:
        arguments["Metrics"] = queries


_ALARM: Final = Call(
    operation="put_metric_alarm",
    carries=True,
    given={"AlarmName": "{name}"},
    finish=_metrics,
)
_ALARM_NAMES: Final = {
    "name": "AlarmName",
    "metricQueries": "",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
}
_RULE: Final = Call(operation="put_rule", carries=True, given={"Name": "{name}"})


def _target(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    named = values.get("targetId") or f"terraform-{values['digits']}"
    target: dict[str, Json] = {"Id": named, "Arn": values["arn"]}
    if values.get("roleArn"):
        target["RoleArn"] = values["roleArn"]
    if values.get("input"):
        target["Input"] = values["input"]
    for policy in objects(values, "retryPolicy"):
        target["RetryPolicy"] = {
            "MaximumRetryAttempts": int(policy.get("maximumRetryAttempts") or 0),
            "MaximumEventAgeInSeconds": int(policy.get("maximumEventAgeInSeconds") or 60),
        }
    arguments["Targets"] = [target]


_TARGET: Final = Call(operation="put_targets", given={"Rule": "{rule}"}, finish=_target)

_SIGNALS: Final[Mapping[str, Row]] = {
    "cloudwatch:MetricAlarm": Row(
        service="cloudwatch",
        create=(_ALARM,),
        id="{name}",
        read=Call(operation="describe_alarms", given={"AlarmNames": ["{name}"]}),
        found="MetricAlarms[0]",
        outputs={"arn": "AlarmArn"},
        names=_ALARM_NAMES,
        sees={"metricQueries": "Metrics"},
        update=(_ALARM,),
        delete=(Call(operation="delete_alarms", given={"AlarmNames": ["{name}"]}),),
        tags="{arn}",
    ),
    "cloudwatch:Dashboard": Row(
        service="cloudwatch",
        create=(Call(operation="put_dashboard", carries=True),),
        id="{dashboardName}",
        read=Call(operation="get_dashboard", given={"DashboardName": "{dashboardName}"}),
        update=(Call(operation="put_dashboard", carries=True, when="dashboardBody"),),
        delete=(Call(operation="delete_dashboards", given={"DashboardNames": ["{dashboardName}"]}),),
    ),
    "cloudwatch:EventRule": Row(
        service="events",
        create=(_RULE,),
        id="{name}",
        read=Call(operation="describe_rule", given={"Name": "{name}"}),
        outputs={"arn": "Arn"},
        update=(
            Call(
                operation="put_rule",
                carries=True,
                given={"Name": "{name}"},
                when="scheduleExpression description eventPattern state roleArn",
            ),
        ),
        delete=(Call(operation="delete_rule", given={"Name": "{name}"}),),
        tags="{arn}",
    ),
    "cloudwatch:EventTarget": Row(
        service="events",
        create=(_TARGET,),
        id="{rule}-terraform-{digits}",
        read=Call(operation="list_targets_by_rule", given={"Rule": "{rule}"}),
        found="Targets[?Arn=='{arn}'] | [0]",
        outputs={"targetId": "Id"},
        sees={
            "arn": "Arn",
            "input": "Input",
            "retryPolicy": (
                "RetryPolicy && {maximumRetryAttempts: RetryPolicy.MaximumRetryAttempts, "
                "maximumEventAgeInSeconds: RetryPolicy.MaximumEventAgeInSeconds}"
            ),
        },
        update=(_TARGET,),
        delete=(Call(operation="remove_targets", given={"Rule": "{rule}", "Ids": ["{targetId}"]}),),
    ),
}


def _budget(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    filters = {one["name"]: listed(one, "values") for one in objects(values, "costFilters")}
    budget: dict[str, Json] = {
        "BudgetName": values["name"],
        "BudgetType": values["budgetType"],
        "TimeUnit": values["timeUnit"],
        "BudgetLimit": {"Amount": str(values["limitAmount"]), "Unit": values["limitUnit"]},
        **({"CostFilters": filters} if filters else {}),
    }
    arguments["Budget"] = budget
    arguments["NotificationsWithSubscribers"] = [
        {
            "Notification": {
                "NotificationType": one["notificationType"],
                "ComparisonOperator": one["comparisonOperator"],
                "Threshold": float(one["threshold"]),
                "ThresholdType": one["thresholdType"],
            },
            "Subscribers": [
                {"SubscriptionType": kind, "Address": address}
                for kind, name in (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
                for address in listed(one, name)
            ],
        }
        for one in objects(values, "notifications")
    ]


_BUDGET: Final = {"AccountId": "{account}", "BudgetName": "{name}"}

_WATCHES: Final[Mapping[str, Row]] = {
    "budgets:Budget": Row(
        service="budgets",
        region="us-east-1",
        create=(Call(operation="create_budget", given={"AccountId": "{account}"}, finish=_budget),),
        id="{account}:{name}",
        read=Call(operation="describe_budget", given=_BUDGET),
        found="Budget",
        sees={"limitAmount": "BudgetLimit.Amount", "limitUnit": "BudgetLimit.Unit"},
        delete=(Call(operation="delete_budget", given=_BUDGET),),
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_TOPICS, **_LOGS, **_SIGNALS, **_WATCHES}
LEFT_OUT: Final[Mapping[str, str]] = {
    "cloudwatch:LogDelivery": "moto keeps deliveries, but not what of a request they log",
    "cloudwatch:LogDeliveryDestination": "without deliveries it says nothing",
    "cloudwatch:LogDeliverySource": "without deliveries it says nothing",
    "costexplorer:AnomalyMonitor": "moto has no anomaly monitors",
    "costexplorer:AnomalySubscription": "moto has no anomaly monitors",
    "synthetics:Canary": "moto makes canaries and cannot delete them",
}
