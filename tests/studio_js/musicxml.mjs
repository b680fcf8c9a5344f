// @ts-check
/** @file Write music as MusicXML and as MIDI: `node musicxml.mjs MUSIC XML MIDI`, the music as JSON. */

import { readFileSync, writeFileSync } from "node:fs";

import { midiOf } from "../../lstm_music/studio/page/midi_writer.js";
import { Music } from "../../lstm_music/studio/page/music.js";
import { musicXmlOf } from "../../lstm_music/studio/page/musicxml.js";

const [path, xml, midi] = process.argv.slice(2);
const { facts, meter, events, tempo } = JSON.parse(readFileSync(path, "utf8"));
const music = new Music(facts, meter);
const listed = events.map((/** @type {number[]} */ [onset, ...tokens]) => ({ onset, tokens }));
music.replace(-Infinity, Infinity, listed);
writeFileSync(xml, musicXmlOf(music, tempo));
writeFileSync(midi, midiOf(music, tempo, "0"));
