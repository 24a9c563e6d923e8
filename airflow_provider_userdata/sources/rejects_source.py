"""The rejects of an earlier run as a source: corrected, they are sent again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.untemplated import are_locations, as_texts, callable_name, is_location

FATES = (Fate.REJECTED, Fate.HELD, Fate.UNKNOWN)
"""The fates of records that have a line in the rejects."""
_RUN = (2, 3)
"""A DAG and a task, and maybe a run."""


class RejectsSource:
    """Records of earlier runs that were not delivered, to be sent again with the same operator and connection.

    A record goes as its source had it, so the operator needs the same `fields`. What was delivered, or may have been,
    is marked beside the rejects: the next replay leaves it out. What is rejected again is not marked, and has a line
    in the rejects of this run, with the first one's file and line. Held samples that the task's next run sends by
    itself are left out. Of several replays of the same rejects at once, one sends, and the others wait for it.

    :param path: rejects files, or the folders that they are in: a path or glob, or a list of them. (templated)
    :param run: in place of a path, a DAG and a task, as `("dag", "task")`, for the run of the task that wrote last, or
        `("dag", "task", "run id")`. (templated)
    :param map_index: for `run`, the only instance of a mapped task. Default: all of them.
    :param rules: only what was rejected or held by these rules, such as `["G5", "G8"]`. Default: by any.
    :param fates: which records are sent. Default: `rejected` and `held`. An `unknown` record may have arrived: say
        `("unknown",)` to send it all the same.
    :param limit: the most records that are sent. Default: all.
    :param fix: a function that takes a record, and returns it corrected, or None to leave it out. If it takes a second
        argument, that is the record's line in the rejects: `position`, `rule`, `path`, `reason`, `status`, and where
        the record came from, `file` and `line`; with `carried_in`, the record has the vendor's field names.
    :param output_path: for `run`, where the task writes. Default: the `output_path` of the operator that reads this,
        or else the setting. (templated)
    """

    template_fields = ("path", "run", "output_path")
    rendered = False
    """Whether this is a copy with rendered templates."""

    def __init__(
        self,
        path: Any = None,
        *,
        run: Sequence[str] | None = None,
        map_index: int | None = None,
        rules: str | Sequence[str] | None = None,
        fates: str | Sequence[str] = (Fate.REJECTED, Fate.HELD),
        limit: int | None = None,
        fix: Callable[..., Any] | None = None,
        output_path: Any = None,
    ) -> None:
        # Not a dataclass: Airflow would write one that a task returns into its database.
        self.path = as_texts(path)
        self.run = run
        self.map_index = map_index
        self.rules = rules
        self.fates = fates
        self.limit = limit
        self.fix = fix
        self.output_path = as_texts(output_path)

    def __repr__(self) -> str:
        where = repr(self.path) if self.path is not None else f"run={self.run!r}"
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in ("map_index", "rules", "limit")
            if getattr(self, name) is not None
        ]
        fixed = [] if self.fix is None else [f"fix={callable_name(self.fix)}"]
        fates = tuple(map(str, _several(self.fates)))
        return f"RejectsSource({', '.join([where, *given, f'fates={fates!r}', *fixed])})"

    def resolve(self, context: Mapping[str, Any]) -> RejectsSource:
        """Return a rendered copy. Airflow calls this; otherwise it would change this object, which other runs share."""
        render = context["task"].render_template
        path, run, output_path = (render(getattr(self, name), context) for name in self.template_fields)
        copy = RejectsSource(
            path,
            run=run,
            map_index=self.map_index,
            rules=self.rules,
            fates=self.fates,
            limit=self.limit,
            fix=self.fix,
            output_path=output_path,
        )
        copy.rendered = True
        return copy

    def check(self) -> None:
        """Check the arguments.

        :raises SourceError: if one can't work.
        """
        if (self.path is None) is (self.run is None):
            raise _wrong("path or run", "given, and not both")
        if self.path is not None and not is_location(self.path) and not are_locations(self.path):
            raise _wrong("path", "a path or glob, or a list of them")
        if self.run is not None and not (
            isinstance(self.run, (tuple, list)) and len(self.run) in _RUN and _are_texts(self.run) and all(self.run)
        ):
            raise _wrong("run", "a DAG's and a task's id, as in ('dag', 'task'), and a run's id if it isn't the last")
        if self.map_index is not None and (self.run is None or type(self.map_index) is not int or self.map_index < 0):
            raise _wrong("map_index", "the number of a mapped task's instance, from 0, beside run")
        if not _are_texts(self.fates) or not self.fates or not set(_several(self.fates)) <= set(FATES):
            raise _wrong("fates", f"some of {', '.join(FATES)}")
        if self.rules is not None and not _are_texts(self.rules):
            raise _wrong("rules", "rules' names, such as ['G5', 'G8'], or None")
        if self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            raise _wrong("limit", "a number of records, 1 or more, or None")
        if self.fix is not None and not callable(self.fix):
            raise _wrong("fix", "a function, or None")

    def takes(self, fate: Fate, rule: str) -> bool:
        """Return whether a record with this fate is sent."""
        return fate in _several(self.fates) and (self.rules is None or rule in _several(self.rules))

    @property
    def fix_takes_line(self) -> bool:
        """Whether `fix` takes the record's line, too."""
        if self.fix is None:
            return False
        try:
            inspect.signature(self.fix).bind(None, None)
        except (TypeError, ValueError):
            return False
        return True


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _are_texts(value: object) -> bool:
    return isinstance(value, (str, tuple, list, set, frozenset)) and all(isinstance(item, str) for item in value)


def _wrong(name: str, wanted: str) -> SourceError:
    return SourceError(f"source: RejectsSource: {name} must be {wanted}")
