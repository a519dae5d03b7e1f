"""Topics, logs, alarms, schedules, budgets and checks in the cloud's calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from infra.local.cloud.rows import Call, Row, listed, objects

Json = Any
Finish = Callable[[dict[str, Json], Mapping[str, Json]], None]
_TOPIC: Final = {"TopicArn": "{id}"}
_GROUP: Final = {"logGroupName": "{name}"}


_TOPIC_HAS: Final = (
    "displayName kmsMasterKeyId policy deliveryPolicy fifoTopic contentBasedDeduplication signatureVersion "
    "tracingConfig"
)
_SUBSCRIPTION: Final = {"SubscriptionArn": "{id}"}
_SUBSCRIPTION_HAS: Final = (
    "filterPolicy filterPolicyScope rawMessageDelivery redrivePolicy deliveryPolicy replayPolicy "
    "subscriptionRoleArn"
)


def _member(name: str) -> str:
    return name[0].upper() + name[1:]


def _text(value: Json) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _attributes(names: str) -> Finish:
    """What a topic or a subscription has beside its name, as texts."""

    def finish(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
        arguments["Attributes"] = {
            _member(name): _text(values[name]) for name in names.split() if values.get(name) is not None
        }

    return finish


def _attribute_calls(operation: str, named: Mapping[str, Json], names: str) -> Iterator[Call]:
    """Each attribute is changed by a call of its own; an empty one is taken away."""
    for name in names.split():
        given = {**named, "AttributeName": _member(name)}

        def finish(arguments: dict[str, Json], values: Mapping[str, Json], name: str = name) -> None:
            arguments["AttributeValue"] = _text(values[name])

        yield Call(operation=operation, given=given, when=name, needs=name, finish=finish)
        yield Call(operation=operation, given={**given, "AttributeValue": ""}, when=name, unless=name)


def _default(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The policy that a topic has when nobody gives it one: for the account's own."""
    everything = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe"
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            f"SNS:{action}" for action in (*everything.split(), "ListSubscriptionsByTopic", "Publish")
        ],
        "Resource": values["arn"],
        "Condition": {"StringEquals": {"AWS:SourceOwner": values["account"]}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    arguments["AttributeValue"] = json.dumps(policy)


_OF_TOPIC: Final = {"TopicArn": "{arn}", "AttributeName": "Policy"}
_POLICY: Final = Call(operation="set_topic_attributes", given={**_OF_TOPIC, "AttributeValue": "{policy}"})

_TOPICS: Final[Mapping[str, Row]] = {
    "sns:Topic": Row(
        service="sns",
        create=(Call(operation="create_topic", carries=True, finish=_attributes(_TOPIC_HAS)),),
        id="TopicArn",
        read=Call(operation="get_topic_attributes", given=_TOPIC),
        found="Attributes",
        blind="policy",
        update=tuple(_attribute_calls("set_topic_attributes", _TOPIC, _TOPIC_HAS)),
        delete=(Call(operation="delete_topic", given=_TOPIC),),
        tags="{id}",
    ),
    "sns:TopicPolicy": Row(
        service="sns",
        create=(_POLICY,),
        id="{arn}",
        read=Call(operation="get_topic_attributes", given={"TopicArn": "{arn}"}),
        found="Attributes",
        update=(_POLICY,),
        delete=(Call(operation="set_topic_attributes", given=_OF_TOPIC, finish=_default),),
    ),
    "sns:TopicSubscription": Row(
        service="sns",
        create=(
            Call(
                operation="subscribe",
                carries="protocol endpoint",
                given={"TopicArn": "{topic}", "ReturnSubscriptionArn": True},
                finish=_attributes(_SUBSCRIPTION_HAS),
            ),
        ),
        id="SubscriptionArn",
        read=Call(operation="get_subscription_attributes", given=_SUBSCRIPTION),
        found="Attributes",
        update=tuple(_attribute_calls("set_subscription_attributes", _SUBSCRIPTION, _SUBSCRIPTION_HAS)),
        delete=(Call(operation="unsubscribe", given=_SUBSCRIPTION),),
    ),
}

_RETENTION: Final = Call(
    operation="put_retention_policy",
    carries="name retentionInDays",
    when="retentionInDays",
    needs="retentionInDays",
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
            Call(operation="disassociate_kms_key", given=_GROUP, when="kmsKeyId", unless="kmsKeyId"),
        ),
        delete=(Call(operation="delete_log_group", given=_GROUP),),
        tags="arn:aws:logs:{region}:{account}:log-group:{name}",
    ),
}

_DELIVERY: Final = {"id": "{id}"}
_DELIVERY_HAS: Final = "recordFields fieldDelimiter s3DeliveryConfigurations"


def _delivery(kind: str, member: str, **more: Json) -> Row:
    """A source or a destination of logs; it goes by its name."""
    named = {"name": "{id}"}
    return Row(
        service="logs",
        create=(Call(operation=f"put_{kind}", carries=True),),
        id=f"{member}.name",
        read=Call(operation=f"get_{kind}", given=named),
        # Its tags are those of its creation there, whatever became of them.
        found=f"merge({member}, {{tags: null}})",
        outputs={"arn": "arn", **more},
        delete=(Call(operation=f"delete_{kind}", given=named),),
        tags="{arn}",
    )


_DELIVERIES: Final[Mapping[str, Row]] = {
    "cloudwatch:LogDeliverySource": _delivery("delivery_source", "deliverySource", service="service"),
    "cloudwatch:LogDeliveryDestination": replace(
        _delivery(
            "delivery_destination", "deliveryDestination", deliveryDestinationType="deliveryDestinationType"
        ),
        update=(
            Call(
                operation="put_delivery_destination",
                carries="name outputFormat deliveryDestinationConfiguration",
                when="deliveryDestinationConfiguration",
            ),
        ),
    ),
    "cloudwatch:LogDelivery": Row(
        service="logs",
        create=(Call(operation="create_delivery", carries=True),),
        id="delivery.id",
        read=Call(operation="get_delivery", given=_DELIVERY),
        found="merge(delivery, {tags: null})",
        outputs={"arn": "arn"},
        names={"s3DeliveryConfigurations": "s3DeliveryConfiguration"},
        update=(
            Call(
                operation="update_delivery_configuration",
                carries=_DELIVERY_HAS,
                given=_DELIVERY,
                when=_DELIVERY_HAS,
            ),
        ),
        delete=(Call(operation="delete_delivery", given=_DELIVERY),),
        tags="{arn}",
    ),
}


def _metrics(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A metric among an alarm's queries is a statistic of its own."""
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
_RULE: Final = Call(operation="put_rule", carries=True)
_NAMED_RULE: Final = {"Name": "{name}", "EventBusName": "{eventBusName}"}


def _target(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    named = values.get("targetId") or f"terraform-{values['digits']}"
    target: dict[str, Json] = {"Id": named, "Arn": values["arn"]}
    for name, member in (("roleArn", "RoleArn"), ("input", "Input"), ("inputPath", "InputPath")):
        if values.get(name):
            target[member] = values[name]
    for letters in objects(values, "deadLetterConfig"):
        target["DeadLetterConfig"] = {"Arn": letters["arn"]}
    for transformer in objects(values, "inputTransformer"):
        target["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths") or {},
            "InputTemplate": transformer["inputTemplate"],
        }
    for policy in objects(values, "retryPolicy"):
        target["RetryPolicy"] = {
            "MaximumRetryAttempts": int(policy.get("maximumRetryAttempts") or 0),
            "MaximumEventAgeInSeconds": int(policy.get("maximumEventAgeInSeconds") or 60),
        }
    arguments["Targets"] = [target]


_OF_RULE: Final = {"Rule": "{rule}", "EventBusName": "{eventBusName}"}
_TARGET: Final = Call(operation="put_targets", given=_OF_RULE, finish=_target)

_SIGNALS: Final[Mapping[str, Row]] = {
    "cloudwatch:MetricAlarm": Row(
        service="cloudwatch",
        create=(_ALARM,),
        id="{name}",
        read=Call(operation="describe_alarms", given={"AlarmNames": ["{name}"]}),
        found="MetricAlarms[0]",
        outputs={"arn": "AlarmArn"},
        names=_ALARM_NAMES,
        sees={
            "metricQueries": (
                "Metrics[].{id: Id, expression: Expression, label: Label, returnData: ReturnData, "
                "metric: MetricStat && {metricName: MetricStat.Metric.MetricName, stat: MetricStat.Stat, "
                "namespace: MetricStat.Metric.Namespace, period: MetricStat.Period, unit: MetricStat.Unit, "
                "dimensions: MetricStat.Metric.Dimensions}}"
            )
        },
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
        read=Call(operation="describe_rule", given=_NAMED_RULE),
        outputs={"arn": "Arn"},
        update=(
            Call(
                operation="put_rule",
                carries=True,
                when="scheduleExpression description eventPattern state roleArn",
            ),
        ),
        delete=(Call(operation="delete_rule", given=_NAMED_RULE),),
        tags="{arn}",
    ),
    "cloudwatch:EventTarget": Row(
        service="events",
        create=(_TARGET,),
        id="{rule}-terraform-{digits}",
        read=Call(operation="list_targets_by_rule", given=_OF_RULE),
        found="Targets[?Id=='{targetId}' || Id=='terraform-{digits}'] | [0]",
        outputs={"targetId": "Id"},
        sees={
            "arn": "Arn",
            "input": "Input",
            "deadLetterConfig": "DeadLetterConfig",
            "retryPolicy": (
                "RetryPolicy && {maximumRetryAttempts: RetryPolicy.MaximumRetryAttempts, "
                "maximumEventAgeInSeconds: RetryPolicy.MaximumEventAgeInSeconds}"
            ),
        },
        update=(_TARGET,),
        delete=(Call(operation="remove_targets", given={**_OF_RULE, "Ids": ["{targetId}"]}),),
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


def _new_budget(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    _budget(arguments, values)
    arguments["NewBudget"] = arguments.pop("Budget")
    del arguments["NotificationsWithSubscribers"]


_BUDGET: Final = {"AccountId": "{account}", "BudgetName": "{name}"}
_CREATE_BUDGET: Final = Call(operation="create_budget", given={"AccountId": "{account}"}, finish=_budget)

_WATCHES: Final[Mapping[str, Row]] = {
    "budgets:Budget": Row(
        service="budgets",
        region="us-east-1",
        create=(_CREATE_BUDGET,),
        id="{account}:{name}",
        read=Call(operation="describe_budget", given=_BUDGET),
        found="Budget",
        sees={"limitAmount": "BudgetLimit.Amount", "limitUnit": "BudgetLimit.Unit"},
        shows={
            "notifications": (
                Call(operation="describe_notifications_for_budget", given=_BUDGET),
                (
                    "Notifications[].{comparisonOperator: ComparisonOperator, notificationType: NotificationType, "
                    "threshold: Threshold, thresholdType: ThresholdType}"
                ),
            )
        },
        update=(
            Call(
                operation="update_budget",
                given={"AccountId": "{account}"},
                when="budgetType timeUnit limitAmount limitUnit costFilters",
                finish=_new_budget,
            ),
            # Whom it tells is no property of a budget: with others to tell it is made anew.
            Call(operation="delete_budget", given=_BUDGET, when="notifications"),
            replace(_CREATE_BUDGET, when="notifications"),
        ),
        delete=(Call(operation="delete_budget", given=_BUDGET),),
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_TOPICS, **_LOGS, **_DELIVERIES, **_SIGNALS, **_WATCHES}
LEFT_OUT: Final[Mapping[str, str]] = {
    "costexplorer:AnomalyMonitor": "moto has no anomaly monitors",
    "costexplorer:AnomalySubscription": "moto has no anomaly monitors",
    "synthetics:Canary": "moto makes canaries and cannot delete them",
}
