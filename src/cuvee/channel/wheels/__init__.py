"""Importing wheels from the Python index as conda packages."""

from cuvee.channel.wheels.importer import import_wheels
from cuvee.channel.wheels.model import ImportedPackage, WheelRequest
from cuvee.channel.wheels.requested_wheels import wheel_requests

__all__ = ["ImportedPackage", "WheelRequest", "import_wheels", "wheel_requests"]
