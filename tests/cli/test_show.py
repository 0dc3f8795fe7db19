"""Text from outside can't steer a terminal."""

from io import StringIO

from txt_dashboard.cli import show


def test_signs_that_steer_a_terminal_are_replaced():
    assert show.plain("a\x1b[2Jb\nc\u202e") == "a�[2Jb�c�"
    assert "\x1b" not in show.table(("A",), [("\x1b[31m",)])


def test_a_bar_is_lines_where_there_is_no_terminal():
    out = StringIO()
    show.bar({"done": 1, "total": 2, "failed": 0}, out)
    assert out.getvalue() == f"[{'#' * 15}{'.' * 15}] 1 of 2 hosts, 0 failed\n"
