"""Reads spools back and writes small workbooks, for the tests of ingest."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow.parquet as pq

from feedback_nlp.core.columns import INPUT_COLUMNS
from feedback_nlp.ingest import Spool


def comments(made: Spool, size: int = 1000) -> list[dict[str, object]]:
    """Return a spool's comments as dicts, meta parsed."""
    found = []
    for batch in made.chunks(size):
        assert batch.table.column_names == [column.name for column in INPUT_COLUMNS]
        found += batch.table.to_pylist()
    for comment in found:
        comment["meta"] = json.loads(comment["meta"]) if comment["meta"] is not None else {}
    return found


def texts(made: Spool) -> list[object]:
    """Return a spool's texts in canonical order."""
    return [comment["text"] for comment in comments(made)]


def rejected(made: Spool) -> list[dict[str, object]]:
    """Return a spool's rejects as dicts."""
    return pq.read_table(made.rejects_path).to_pylist()


_FORMATS = "http://schemas.openxmlformats.org"
_RELATION = f"{_FORMATS}/officeDocument/2006/relationships"
_PACKAGE = f"{_FORMATS}/package/2006/relationships"
_MAIN = f"{_FORMATS}/spreadsheetml/2006/main"
_SHEETML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'<Types xmlns="{_FORMATS}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETML}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SHEETML}.styles+xml"/></Types>'
)
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def _cell(value: object, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{where}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    # A tuple holds an Excel day number, shown as a date.
    style, number = (' s="1"', value[0]) if isinstance(value, tuple) else ("", value)
    return f'<c r="{where}"{style}><v>{number}</v></c>'


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """Write a small .xlsx of strings, numbers and dates."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(sheets)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATION}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="s{i}"/>' for i, n in enumerate(names, 1))
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>{listed}</sheets></workbook>'
        )
        related = "".join(
            f'<Relationship Id="s{i}" Type="{_RELATION}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(names) + 1)
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{related}</Relationships>')
        archive.writestr("xl/styles.xml", _STYLES)
        for number, name in enumerate(names, 1):
            rows = "".join(
                f'<row r="{y}">{"".join(_cell(v, f"{chr(64 + x)}{y}") for x, v in enumerate(row, 1))}</row>'
                for y, row in enumerate(sheets[name], 1)
            )
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
            )
    return path
