# SPDX-License-Identifier: Apache-2.0
"""Where in a TOML text each key stands: ``tomllib`` gives values without positions, an error needs one.

The text must already have been accepted by ``tomllib``; this walk only finds its way through valid TOML.
"""

from __future__ import annotations

import tomllib

KeyPath = tuple[str | int, ...]
"""Keys and array indices from the root of the document."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line (1-based) of every key, table header and array element of a valid TOML document."""
    return _Walk(text).run()


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Line of ``path``, or of its nearest enclosing table that stands in the file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


class _Walk:
    """One pass over the text with a cursor; ``lines`` collects what it meets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.array_tables: dict[KeyPath, int] = {}

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank(newlines=True):
            if self.text.startswith("[[", self.at):
                self.at += 2
                table = self._array_table(self._dotted_key())
                self.at += 2
            elif self.text[self.at] == "[":
                line = self._line()
                self.at += 1
                table = self._inside_array_tables(self._dotted_key())
                self.at += 1
                self._note(table, line)
            else:
                self._key_value(table)
        return self.lines

    def _array_table(self, path: KeyPath) -> KeyPath:
        path = self._inside_array_tables(path[:-1]) + path[-1:]
        index = self.array_tables.get(path, -1) + 1
        self.array_tables[path] = index
        self._note(path, self._line())
        self._note((*path, index), self._line())
        return (*path, index)

    def _inside_array_tables(self, path: KeyPath) -> KeyPath:
        """``[[a]]`` followed by ``[a.b]`` means the last element of ``a``."""
        resolved: KeyPath = ()
        for part in path:
            resolved = (*resolved, part)
            if resolved in self.array_tables:
                resolved = (*resolved, self.array_tables[resolved])
        return resolved

    def _key_value(self, table: KeyPath) -> None:
        line = self._line()
        path = table + self._dotted_key()
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length], line)
        self.at = self.text.index("=", self.at) + 1
        self._skip_blank()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        char = self.text[self.at]
        if char in "\"'":
            self._string()
        elif char == "[":
            self.at += 1
            index = 0
            while self._skip_blank(newlines=True) and self.text[self.at] != "]":
                if self.text[self.at] == ",":
                    self.at += 1
                    continue
                self._note((*path, index), self._line())
                self._value((*path, index))
                index += 1
            self.at += 1
        elif char == "{":
            self.at += 1
            while self._skip_blank(newlines=True) and self.text[self.at] != "}":
                if self.text[self.at] == ",":
                    self.at += 1
                else:
                    self._key_value(path)
            self.at += 1
        else:  # number, boolean, date: none holds a delimiter
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\r\n":
                self.at += 1

    def _dotted_key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip_blank()
            start = self.at
            if self.text[self.at] in "\"'":
                self._string()
                parts.append(tomllib.loads(f"k = {self.text[start : self.at]}")["k"])
            else:
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._skip_blank()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self.at = self._closing(quote * 3, self.at + 3) + 3
            while self.text.startswith(quote, self.at):  # up to two quotes may precede the closing three
                self.at += 1
        else:
            self.at = self._closing(quote, self.at + 1) + 1

    def _closing(self, quotes: str, start: int) -> int:
        at = start
        while not self.text.startswith(quotes, at):
            at += 2 if self.text[at] == "\\" and quotes[0] == '"' else 1
        return at

    def _skip_blank(self, *, newlines: bool = False) -> bool:
        """Move to the next token; False at the end of the text."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char in " \t" or (newlines and char in "\r\n"):
                self.at += 1
            else:
                return True
        return False

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)
