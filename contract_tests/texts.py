"""Texts that services often change: other scripts, escapes, white space, words of languages."""

from __future__ import annotations

TEXTS = (
    "Zoë & Šárka: 東京タワー, Ελλάδα, עברית",
    "🎬 👩‍👩‍👧 𝄞",
    "e\u0301 and é",
    "  two  spaces\tand a tab ",
    "one line\nanother\r\nand more",
    "\"quoted\" 'twice' \\ back\\nslash / %20 + &amp; <b>bold</b> {{x}} ${y}",
    "0",
    "null",
    "false",
    "\uff26\uff35\uff2c\uff2c width \ufb01 \u0130\u0131 \u00df",
    "x" * 300,
)
