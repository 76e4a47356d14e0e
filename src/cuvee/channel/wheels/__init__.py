"""Importing wheels from the Python index as conda packages."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.channel.wheels.gathering import WheelGathering
    from cuvee.channel.wheels.importer import import_gathered, import_wheels
    from cuvee.channel.wheels.model import ImportedPackage, WheelRequest
    from cuvee.channel.wheels.requested_wheels import wheel_requests

__all__ = [
    "ImportedPackage",
    "WheelGathering",
    "WheelRequest",
    "import_gathered",
    "import_wheels",
    "wheel_requests",
]
__getattr__ = lazy_names(
    __name__,
    {
        "gathering": ("WheelGathering",),
        "importer": ("import_gathered", "import_wheels"),
        "model": ("ImportedPackage", "WheelRequest"),
        "requested_wheels": ("wheel_requests",),
    },
)
