"""Parking platform: one stack is one region of an environment."""

from infra import settings
from services import CATALOGUE
from stacks.region import deploy

deploy(settings.load(catalogue=CATALOGUE), catalogue=CATALOGUE)
