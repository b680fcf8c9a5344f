#!/usr/bin/env bash
# abcjs 6.7.2 plays a header field that it does not know: the letters of its value sound as notes before the tune.
#
# The ABC standard 2.1 (3.1.18) leaves letters for fields of private use, and says that software should ignore those that it does
# not know. The 1,034 tunes of the Nottingham database use Y: for the form (Y:AAB). Expected: the two notes of the tune. Seen: A, A
# and B before them, so every onset is moved. abc2midi ignores the line.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund abcjs@6.7.2 > /dev/null
cat > play.js <<'JS'
const abcjs = require("abcjs");
const notes = (text) =>
  abcjs.parseOnly(text)[0].setUpAudio({}).tracks.flat().filter((event) => event.cmd === "note").map((event) => event.pitch);
const tune = (field) => `X:1\nT:t\n${field}M:4/4\nL:1/4\nK:C\nc d|\n`;
const [without, with_field] = [notes(tune("")), notes(tune("Y:AAB\n"))];
console.log("without Y:", without.join(" "), "- with Y:AAB:", with_field.join(" "));
process.exit(without.join() === "72,74" && with_field.length === 5 ? 0 : 1);
JS
node play.js
