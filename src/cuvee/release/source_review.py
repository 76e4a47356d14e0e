"""What the sources of a lock say of its packages today: its channels, and the Python index."""

from cuvee.channel.present_records import compare_with_channels
from cuvee.channel.source_comparison import SourceComparison
from cuvee.lock.model import Lock
from cuvee.release.record import ChannelResult
from cuvee.release.session import Session


def compare_sources(session: Session, channel: ChannelResult, lock: Lock) -> SourceComparison:
    """Compare all packages of a lock with their sources; a source that cannot be reached is not an error."""
    del channel
    task = "Compare with channels"
    session.reporter.start(task)
    packages = [package for part in lock.platforms for package in part.packages]
    found = compare_with_channels(packages, session.connection)
    session.reporter.finish(task, note=f"{len(found.changed)} changed")
    return found
