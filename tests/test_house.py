"""The house's own rules, checked on the source: sizes, docstrings, imports, data files."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "feedback_nlp"
FILES = sorted(PACKAGE.rglob("*.py"))


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_sizes(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400, "a file has at most 400 lines: split it"
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in _functions(ast.parse(source))
        if (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert not long, f"a function has at most 60 lines: {long}"


def _public(node: ast.AST) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return public classes and functions, and the public methods of public classes."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            found.append(child)
            found += _public(child) if isinstance(child, ast.ClassDef) else []
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_public_names_have_docstrings_that_say_something(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [] if ast.get_docstring(tree) else ["the module"]
    for node in _public(tree):
        text = (ast.get_docstring(node) or "").strip()
        if not text or text.rstrip(".").lower().replace(" ", "_") == node.name.lower():
            bare.append(node.name)
    assert not bare, f"no docstring: {bare}"


FORBIDDEN = ("pickle", "joblib", "cloudpickle", "dill", "shelve")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_pickle_no_remote_code_no_blanket_except(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            faults += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN:
            faults.append(str(node.module))
        elif isinstance(node, ast.ExceptHandler):
            if node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            ):
                faults.append(f"blanket except, line {node.lineno}")
        elif isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
            never = isinstance(node.value, ast.Constant) and node.value.value is False
            faults += [] if never else [f"trust_remote_code, line {node.value.lineno}"]
    assert not faults, faults


def test_no_import_cycles() -> None:
    graph: dict[str, set[str]] = {}
    dotted = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES}
    names = set(dotted.values())
    for path, name in dotted.items():
        found = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("feedback_nlp"):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (inner & names) or {str(node.module)}
        graph[name] = found
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 1:
            pytest.fail(f"import cycle: {' -> '.join((*trail, name))}")
        if state.get(name) == 2 or name not in graph:
            return
        state[name] = 1
        for other in sorted(graph[name]):
            visit(other, (*trail, name))
        state[name] = 2

    for name in sorted(graph):
        visit(name, ())


def test_shipped_models_stay_small() -> None:
    size = sum(path.stat().st_size for path in (ROOT / "models").rglob("*") if path.is_file())
    assert size < 60e6, f"models/ holds {size / 1e6:.1f} MB, 60 allowed"


def test_import_is_cheap() -> None:
    code = "import sys, feedback_nlp, feedback_nlp.cli.app; print(sorted(m for m in sys.modules if '.' not in m))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"torch", "transformers", "umap", "hdbscan", "sklearn", "numba", "pandas", "scipy", "pyarrow", "sqlalchemy"}
    loaded = set(ast.literal_eval(out))
    assert not loaded & heavy, f"importing the command line loads {sorted(loaded & heavy)}"


def test_every_shipped_model_has_a_card_with_figures_and_data() -> None:
    listed = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    for manifest in sorted((ROOT / "models").glob("*/manifest.json")):
        content = json.loads(manifest.read_text(encoding="utf-8"))
        name = content["name"]
        assert name == manifest.parent.name
        assert f"[{name}]({name}/README.md)" in listed
        assert content["training_data"], name
        assert content["languages"], name
        assert len((manifest.parent / "README.md").read_text(encoding="utf-8")) > 500, name
