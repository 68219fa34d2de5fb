"""From a method and a path to its handler, and the tables that each folder fills."""

from collections.abc import Callable, Mapping

from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.call import Handler
from payloom.sandbox.stripe.protocol.expand import Openers as Openers

Routes = tuple[tuple[str, str, Handler], ...]  # method, path with {} for an id, and the handler
Timers = Mapping[str, Callable[[Tx, Timer], None]]  # kind of timer → what its turn does
# what stands in a path where an id may stand, and is none: calls that are not answered here
NO_IDS = frozenset({"create_preview", "search"})
Found = tuple[Handler, tuple[str, ...]]  # and the ids in the path


class Router:
    def __init__(self, routes: Routes) -> None:
        self._tree: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}
        for method, template, handler in routes:
            steps = template.split("/")
            self._tree.setdefault((method, len(steps)), []).append((steps, handler))

    def find(self, method: str, path: str) -> Found | None:
        """The handler of a request and the ids in its path; None where nothing is answered."""
        steps = path.split("/")
        for template, handler in self._tree.get((method, len(steps)), ()):
            if all(wanted in (step, "{}") for wanted, step in zip(template, steps, strict=True)):
                ids = tuple(
                    step for wanted, step in zip(template, steps, strict=True) if wanted == "{}"
                )
                if all(ids) and NO_IDS.isdisjoint(ids):
                    return handler, ids
        return None
