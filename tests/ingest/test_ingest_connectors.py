"""JSON, Parquet and workbooks."""

import json
import zipfile
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_files import comments, rejected, texts, write_workbook

from feedback_nlp.core.errors import BadDataError

ROWS = [
    {
        "id": 1,
        "text": "hello\u2028there",
        "created_at": "2026-11-01T10:00:00Z",
        "nps": 9,
        "tags": ["b", "a"],
        "more": {"z": 1, "a": 2.0},
    },
    {"id": "2", "text": "سلام", "created_at": 1791223700, "rating": None, "ok": True},
]


def test_json_lines_and_array_read_the_same(dump, spooled) -> None:
    lines = spooled(dump("a.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)))
    array = spooled(dump("b.json", json.dumps(ROWS, ensure_ascii=False, indent=1)))
    assert (lines.files[0].format, array.files[0].format) == ("jsonl", "json")
    first, second = comments(lines)
    assert [{**c, "source": ""} for c in comments(array)] == [{**first, "source": ""}, {**second, "source": ""}]
    assert first["meta"] == {"nps": 9, "tags": ["b", "a"], "more": {"z": 1, "a": 2}}
    assert (second["comment_id"], second["text"], second["meta"]) == ("2", "سلام", {"ok": True})


def test_bad_json_lines_are_rejects(dump, spooled) -> None:
    lines = [
        '{"id":1,"text":"good"}',
        '{"id":2,"text":"cut',
        "[1,2]",
        '{"id":4,"text":{"a":1}}',
        '{"id":5,"text":null}',
        '{"id":6}',
        '{"id":7,"text":"\\ud800 half"}',
        "[" * 100_000,
        '{"id":9,"text":true}',
        '{"id":10,"text":' + "9" * 5000 + "}",
        "",
        '{"id":11,"text":42}',
    ]
    made = spooled(dump("a.jsonl", "\n".join(lines)))
    assert texts(made) == ["good", "42"]
    assert [(reject["row"], reject["reason"]) for reject in rejected(made)] == [
        (2, "malformed_row"),
        (3, "malformed_row"),
        (4, "malformed_row"),
        (5, "missing_text"),
        (6, "missing_text"),
        (7, "undecodable"),
        (8, "malformed_row"),
        (9, "malformed_row"),
        (10, "malformed_row"),
    ]


def test_a_json_line_beyond_all_measure(dump, spooled) -> None:
    made = spooled(dump("a.jsonl", '{"text":"%s"}\n{"text":"ok"}\n' % ("x" * 100_000)), max_text_length=100)
    assert (texts(made), made.reject_reasons) == (["ok"], {"row_too_long": 1})


@pytest.mark.parametrize("content", ['[{"text":"a"},{"text":"b"', '[{"text":"a"} oops]', '[{"text":"a"}'])
def test_a_damaged_array_is_bad_data(dump, spooled, content) -> None:
    with pytest.raises(BadDataError, match=r"a\.json: element 2 .* JSON Lines"):
        spooled(dump("a.json", content))


def test_an_array_longer_than_a_block(dump, spooled) -> None:
    rows = [{"id": n, "text": f"word {n} " * 30} for n in range(3000)]
    made = spooled(dump("a.json", json.dumps([*rows, 12, "x"])))
    assert (made.rows, made.reject_reasons) == (3000, {"malformed_row": 2})


def test_keys_are_learnt_from_the_whole_file(dump, spooled) -> None:
    rows = [{"id": n, "body": "short"} for n in range(100)] + [
        {"id": 100 + n, "comment": "the better name"} for n in range(100)
    ]
    made = spooled(dump("a.jsonl", "\n".join(map(json.dumps, rows))))
    assert made.files[0].columns["text"] == "comment"
    assert made.reject_reasons == {"missing_text": 100}


def test_values_nested_beyond_all_measure_cost_their_row(dump, spooled) -> None:
    deep = "[" * 900 + "]" * 900
    made = spooled(dump("a.jsonl", '{"text":"a","x":' + deep + '}\n{"text":"b"}\n'))
    assert made.rows in (1, 2)
    assert "b" in texts(made)


def test_too_many_keys_are_no_table(dump, spooled) -> None:
    lines = "\n".join(json.dumps({"text": "a", f"key{n}": 1}) for n in range(10_001))
    with pytest.raises(BadDataError, match="different keys"):
        spooled(dump("a.jsonl", lines))


def test_parquet(tmp_path, spooled) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int64()),
            "comment": pa.array(["a", "b", "c"]).dictionary_encode(),
            "created": pa.array([datetime(2026, 11, 1, 10), None, datetime(2026, 11, 2)], pa.timestamp("ns")),
            "nps": pa.array([9.0, float("nan"), 7.5]),
            "price": pa.array([Decimal("1.50"), None, Decimal("2.00")]),
            "__index_level_0__": pa.array([0, 1, 2]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    made = spooled(path)
    found = comments(made)
    assert [c["comment_id"] for c in found][:2] == ["1", "2"]
    assert found[2]["comment_id"].startswith("c-")
    assert [c["meta"] for c in found] == [{"nps": 9, "price": 1.5}, {}, {"nps": 7.5, "price": 2}]
    assert [str(c["created_at"]) for c in found] == ["2026-11-01 10:00:00+00:00", "None", "2026-11-02 00:00:00+00:00"]
    assert (made.files[0].format, made.files[0].encoding, made.files[0].delimiter) == ("parquet", None, None)


def test_bytes_that_are_no_utf8_in_parquet_cost_their_row(tmp_path, spooled) -> None:
    raw = pa.array([b"good", b"b\xffd", None], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    for number, column in enumerate((raw, text)):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"comment": column}), path)
        made = spooled(path)
        assert (texts(made), made.reject_reasons) == (["good"], {"missing_text": 1, "undecodable": 1})


def test_a_parquet_file_cut_in_the_middle(tmp_path, spooled) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"comment": [f"text {n}" for n in range(1000)]}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadDataError, match=r"a\.parquet is a damaged or cut-off Parquet"):
        spooled(path)


def test_parquet_columns_of_one_name(tmp_path, spooled) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["comment", "comment"]), path)
    with pytest.raises(BadDataError, match="two columns of one name"):
        spooled(path)


SHEET = [
    [None, None, None, None],
    ["id", "التعليق", "التاريخ", "nps"],
    [1, " خدمة ممتازة\nجدا ", (46331.5,), 9],
    [None, None, None, None],
    [2, 12.5, "31/02/2026", None],
    [3, None, None, 4],
]


def test_workbook(tmp_path, spooled) -> None:
    made = spooled(write_workbook(tmp_path / "a.xlsx", {"Data": SHEET, "Other": [["x"]]}))
    first, second = comments(made)
    assert (first["comment_id"], first["text"], first["meta"]) == ("1", " خدمة ممتازة\nجدا ", {"nps": 9})
    assert str(first["created_at"]) == "2026-11-05 12:00:00+00:00"
    assert (second["text"], second["created_at"], second["meta"]) == ("12.5", None, {"created_at": "31/02/2026"})
    assert [(reject["row"], reject["reason"]) for reject in rejected(made)] == [(4, "missing_text")]


def test_a_sheet_may_be_named(tmp_path, spooled) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Cover": [["Report"]], "Data": SHEET})
    assert spooled(path, sheet="Data").rows == 2
    with pytest.raises(BadDataError, match=r"no sheet 'Datta'. It has: 'Cover', 'Data'"):
        spooled(path, sheet="Datta")


def test_blank_rows_above_the_header_are_passed_over(tmp_path, spooled) -> None:
    rows = [["Report of November"], [], [], ["id", "comment"], [1, "hello"]]
    assert texts(spooled(write_workbook(tmp_path / "a.xlsx", {"S": rows}), skip_rows=1)) == ["hello"]


def test_an_empty_sheet(tmp_path, spooled) -> None:
    with pytest.raises(BadDataError, match="the sheet is empty"):
        spooled(write_workbook(tmp_path / "a.xlsx", {"Data": []}))


def test_a_workbook_that_unpacks_beyond_the_limit(tmp_path, spooled) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Data": SHEET})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * (3 << 20))
    with pytest.raises(BadDataError, match=r"unpacks to 3 MiB, more than ingest\.max_workbook_mb \(2\)"):
        spooled(path, max_workbook_mb=2)


def test_a_workbook_that_lies_about_its_size(tmp_path, spooled) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Data": SHEET})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * (3 << 20))
    raw = path.read_bytes()
    path.write_bytes(raw.replace((3 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(BadDataError, match="damaged"):
        spooled(path, max_workbook_mb=2)


def test_a_workbook_damaged_inside_an_uncommon_packing(tmp_path, spooled) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>" * 500)
    raw = bytearray(path.read_bytes())
    raw[50:80] = bytes(byte ^ 0xFF for byte in raw[50:80])
    path.write_bytes(bytes(raw))
    with pytest.raises(BadDataError, match="damaged or cut-off workbook"):
        spooled(path)


def test_a_workbook_cut_off_or_without_a_workbook(tmp_path, spooled) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Data": SHEET})
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(BadDataError, match="damaged or cut-off workbook"):
        spooled(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(BadDataError, match=r"no .xlsx workbook"):
        spooled(path)
    write_workbook(path, {"Data": SHEET})
    broken = path.with_name("b.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<broken" if name.endswith("sheet1.xml") else old.read(name))
    with pytest.raises(BadDataError, match=r"cannot be read as a workbook|no column found|the sheet is empty"):
        spooled(broken)
