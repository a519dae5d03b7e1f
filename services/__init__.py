"""The catalogue of services: to add one, write its file and add it here."""

from infra.model.service import Service, Topic
from services.analytics import ANALYTICS
from services.auth import AUTH
from services.configuration import CONFIGURATION
from services.notification import NOTIFICATION
from services.parking import PARKING
from services.payment import PAYMENT

CATALOGUE: tuple[Service, ...] = (AUTH, PARKING, PAYMENT, NOTIFICATION, ANALYTICS, CONFIGURATION)


def topics(services: tuple[Service, ...] = CATALOGUE) -> tuple[Topic, ...]:
    """All Kafka topics that the services own, in the catalogue's order."""
    return tuple(topic for service in services for topic in service.topics)
