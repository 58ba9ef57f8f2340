"""The program of a worker process: builds its stages once, then answers each batch with the batch it became.

A worker is started as a fresh interpreter that knows nothing of the caller's main module, so a script without an
``if __name__ == "__main__"`` guard, a notebook and a program read from stdin can all use several workers.
"""

import functools
import os
import sys
import traceback
from multiprocessing.connection import Connection
from types import TracebackType

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.core.stage import run_stages
from feedback_nlp.execute.wire import from_bytes, to_bytes

PROGRAM = "from feedback_nlp.execute.worker import main; main({})"
# Set before NumPy is imported: one process a core, and results that do not depend on a machine's number of cores.
ONE_THREAD = dict.fromkeys(
    (
        "BLIS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)


def serve(connection: Connection) -> None:
    """Receive a builder, build, then answer batches for as long as the caller holds the connection.

    The first message is the builder, answered by None; each further one is a batch as bytes, answered by the seconds by
    stage and then the new batch as bytes. A FeedbackError may stand in place of either answer.

    :raises EOFError: when the caller is gone.
    """
    try:
        stages = connection.recv()()
    except FeedbackError as error:
        connection.send(error)
        return
    connection.send(None)
    while True:
        content = connection.recv_bytes()
        try:
            batch, seconds = run_stages(stages, from_bytes(content))
        except FeedbackError as error:
            connection.send(error)
        else:
            connection.send(seconds)
            connection.send_bytes(to_bytes(batch))


def _report(
    connection: Connection, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell the caller of a fault nobody foresaw: its type and place, never its message, which may quote a comment."""
    frames = traceback.extract_tb(trace)
    told = FeedbackError(f"A worker failed with {kind.__name__} at {frames[-1].filename}:{frames[-1].lineno}.")
    told.add_note("".join(traceback.format_list(frames)))
    connection.send(told)


def main(descriptor: int) -> None:
    """Serve on an inherited socket; a caller that is gone ends the worker without a word."""
    connection = Connection(descriptor)
    sys.excepthook = functools.partial(_report, connection)
    try:
        serve(connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)
