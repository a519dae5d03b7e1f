"""Where moto answers otherwise than AWS: what is mended before it serves.

Each is what AWS's documentation says; a new moto that behaves makes its entry a repetition, not an error.
"""

from __future__ import annotations

import copy
import functools
import importlib
import string
from typing import Any, cast


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    # Loading moto takes seconds, and few runs need it.
    models: Any = importlib.import_module("moto.rds.models")
    deletes = models.RDSBackend.delete_db_instance

    def delete_instance(self: Any, db_instance_identifier: str, *args: Any, **kwargs: Any) -> Any:
        """A replica of another region can be deleted, and who followed what is deleted stands alone."""
        doomed = self.databases.get(db_instance_identifier)
        if doomed is not None and not doomed.deletion_protection:
            if doomed.is_replica:
                _forget(self, doomed)
                doomed.is_replica = False
            for name in doomed.replicas:
                if name in self.databases:
                    _stand_alone(self.databases[name])
        return deletes(self, db_instance_identifier, *args, **kwargs)

    creates = models.RDSBackend.create_db_instance

    def create_instance(self: Any, db_kwargs: dict[str, Any]) -> Any:
        """Each instance has a resource id of its own."""
        made = creates(self, db_kwargs)
        made.dbi_resource_id = _resource_id()
        return made

    models.RDSBackend.create_db_instance = create_instance
    eks: Any = importlib.import_module("moto.eks.models")
    lists = eks.EKSBackend.list_nodegroups

    def list_node_groups(self: Any, cluster_name: str, *args: Any, **kwargs: Any) -> Any:
        """Of a cluster that does not exist there is an error, not a crash."""
        self.describe_cluster(cluster_name)
        return lists(self, cluster_name, *args, **kwargs)

    eks.EKSBackend.list_nodegroups = list_node_groups
    models.RDSBackend.create_db_instance_read_replica = _create_replica
    models.RDSBackend.promote_read_replica = _promote
    models.RDSBackend.delete_db_instance = delete_instance


def _resource_id() -> str:
    letters = string.ascii_uppercase + string.digits
    moto_random: Any = importlib.import_module("moto.moto_api._internal").mock_random
    return "db-" + "".join(moto_random.choices(letters, k=26))


def _create_replica(self: Any, db_kwargs: dict[str, Any]) -> Any:
    """A replica is in the region where it is asked for, in its own subnets, and shares neither list nor id."""
    exceptions: Any = importlib.import_module("moto.rds.exceptions")
    wanted = {
        key: value
        for key, value in db_kwargs.items()
        if value is not None and key not in ("backend", "region")
    }
    identifier, source = wanted["db_instance_identifier"], str(wanted["source_db_instance_identifier"])
    if identifier in self.databases:
        raise exceptions.DBInstanceAlreadyExists
    followed = self.find_db_from_id(source)
    if not followed.backup_retention_period:
        raise exceptions.InvalidDBInstanceStateFault(
            "Automated backups are not enabled for this database instance."
        )
    replica = copy.copy(followed)
    # What it shared with its source would change with it.
    own = cast("dict[str, object]", vars(replica))
    own.update({name: copy.copy(value) for name, value in own.items() if type(value) in (list, dict)})
    replica.backend, replica.dbi_resource_id = self, _resource_id()
    replica.deletion_protection, replica.multi_az = False, False
    replica.backup_retention_period = 0
    subnets = wanted.pop("db_subnet_group_name", None)
    wanted["source_db_instance_identifier"] = (
        followed.db_instance_arn if source.startswith("arn:") else followed.db_instance_identifier
    )
    replica.update(**wanted)
    if subnets:
        replica.db_subnet_group_name = subnets
    replica.set_as_replica()
    self.databases[identifier] = replica
    followed.add_replica(replica)
    return replica


def _promote(self: Any, db_kwargs: dict[str, Any]) -> Any:
    """A promoted replica follows nobody, and its source knows; who follows nobody is not promoted."""
    exceptions: Any = importlib.import_module("moto.rds.exceptions")
    replica = self.databases[db_kwargs["db_instance_identifier"]]
    if not replica.is_replica:
        raise exceptions.InvalidDBInstanceStateFault("DB Instance is not a read replica")
    _forget(self, replica)
    _stand_alone(replica)
    replica.update(**db_kwargs)
    return replica


def _forget(self: Any, replica: Any) -> None:
    models: Any = importlib.import_module("moto.rds.models")
    source = str(replica.source_db_instance_identifier)
    owner = models.rds_backends[self.account_id][source.split(":")[3]] if source.startswith("arn:") else self
    followed = owner.databases.get(source.rpartition(":")[2])
    if followed is not None:
        gone = (replica.db_instance_identifier, replica.db_instance_arn)
        followed.replicas = [known for known in followed.replicas if known not in gone]


def _stand_alone(replica: Any) -> None:
    replica.is_replica, replica.source_db_instance_identifier = False, None
