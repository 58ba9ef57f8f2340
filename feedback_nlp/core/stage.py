"""The Stage protocol, the check of a plan before work starts, and the runner that attaches columns."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import INPUT_COLUMNS, PROBLEMS, Column
from feedback_nlp.core.errors import ConfigError, StageContractError


@runtime_checkable
class Stage(Protocol):
    """One step: reads the columns it requires, returns the columns it provides, touches nothing else."""

    @property
    def name(self) -> str:
        """The stage's name in configuration, timings and errors."""

    @property
    def requires(self) -> tuple[Column, ...]:
        """Columns that must stand in the batch."""

    @property
    def provides(self) -> tuple[Column, ...]:
        """Columns that ``compute`` returns, all of them, each time."""

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Compute the provided columns, one value a comment, in the batch's order."""


def check_plan(stages: Sequence[Stage], given: Sequence[Column] = INPUT_COLUMNS) -> None:
    """Check that each stage's needs are met by the input or an earlier stage.

    :raises ConfigError: naming every unmet need and the stage that could meet it.
    """
    have = set(given)
    makers = {column: stage.name for stage in stages for column in stage.provides}
    faults = []
    for stage in stages:
        for column in stage.requires:
            if column in have:
                continue
            hint = f"is made by '{makers[column]}', put it earlier" if column in makers else "is made by no stage here"
            faults.append(f"Stage '{stage.name}' cannot run: '{column.name}' {hint}.")
        have.update(stage.provides)
    if faults:
        raise ConfigError("\n".join(faults))


def run_stages(stages: Sequence[Stage], batch: CommentBatch) -> tuple[CommentBatch, dict[str, float]]:
    """Run stages in order over a batch.

    :returns: the batch with all provided columns, and seconds of CPU time by stage name.
    :raises StageContractError: when a stage returns more or less than it promised.
    """
    seconds: dict[str, float] = {}
    for stage in stages:
        began = time.process_time()
        new = stage.compute(batch)
        promised = {column.name for column in stage.provides}
        returned = {column.name for column in new}
        if returned - {PROBLEMS.name} != promised - {PROBLEMS.name}:
            raise StageContractError(f"{stage.name}: promised {sorted(promised)}, returned {sorted(returned)}.")
        batch = batch.adding(new, who=stage.name)
        seconds[stage.name] = seconds.get(stage.name, 0.0) + time.process_time() - began
    return batch, seconds
