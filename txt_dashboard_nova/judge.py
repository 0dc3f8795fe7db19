"""Which hosts are trusted at this moment: from the cache, else by asking; and where nobody answers, none."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from txt_dashboard_nova.answers import BadAnswer, Verdict, read
from txt_dashboard_nova.cache import Cache
from txt_dashboard_nova.client import Unanswered

_FAILURE = 2.0  # seconds for which a failure is remembered, so that a server that is away does not stop the scheduler
_LONGEST_NAME = 255


class Judge:
    """Asks `poll` for all hosts at once that the cache does not know. Any number of threads may use it at once."""

    def __init__(
        self,
        poll: Callable[[Sequence[str]], bytes],
        cache: Cache,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._poll = poll
        self._cache = cache
        self._clock = clock

    def verdicts(self, hosts: Iterable[str]) -> dict[str, Verdict]:
        """A verdict for each host; never raises for what a server does."""
        names = list(dict.fromkeys(hosts))
        known = self._cache.find(names)
        unknown = [name for name in names if name not in known]
        return known | self._ask(unknown) if unknown else known

    def _ask(self, hosts: list[str]) -> dict[str, Verdict]:
        since = self._cache.ticks()
        asked = [host for host in hosts if len(host) <= _LONGEST_NAME]
        try:
            found = dict(read(self._poll(asked), asked, self._clock())) if asked else {}
        except (Unanswered, BadAnswer) as error:
            failed = {host: Verdict(trusted=False, why=f"PollHosts could not be asked: {error}") for host in hosts}
            self._cache.keep(failed, self._cache.ticks(), _FAILURE)
            return failed
        # Since before the question: how long the answer took counts against it.
        self._cache.keep(found, since)
        return found | {
            host: Verdict(trusted=False, why="its name is too long") for host in hosts if host not in found
        }
