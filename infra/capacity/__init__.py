"""How much the platform needs: requests, pods, nodes, partitions and connections from users and transactions.

Pure: settings and the catalogue in, numbers out. `python -m infra.capacity --stack NAME` prints them.
"""

from infra.capacity.demand import Stage, Traffic, growth_factor, months_until, traffic
from infra.capacity.plan import (
    ConnectionsPlan,
    Plan,
    PoolPlan,
    ServicePlan,
    TopicPlan,
    plan,
)

__all__ = [
    "ConnectionsPlan",
    "Plan",
    "PoolPlan",
    "ServicePlan",
    "Stage",
    "TopicPlan",
    "Traffic",
    "growth_factor",
    "months_until",
    "plan",
    "traffic",
]
