"use strict";
// The parts of an ensemble: who is heard. The player of the mix keeps the time; as soon as a part is muted, the stems sound
// in its place, all from one clock, and what the player does (play, pause, seek, volume, speed) they do too.
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const FADE = 0.01; // seconds, so that no switch clicks
  const AHEAD = 0.02; // seconds that all sources of a start lie ahead, so that they begin together
  const DRIFT = 0.06; // seconds by which the stems may be off the player's time

  let context = null; // a browser lets sound begin only after a press
  const bytesOf = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (letter) => letter.charCodeAt(0)).buffer;
  const glide = (param, value) => param.setTargetAtTime(value, context.currentTime, FADE);

  // The stems of one player: of the result, or of its prompt. A part that rests there has none.
  class Stems {
    constructor(audio, uris) {
      this.audio = audio;
      this.uris = uris;
      this.sources = [];
      this.heard = uris.map(() => true);
    }

    async load() {
      this.buffers = await Promise.all(this.uris.map((uri) => uri && context.decodeAudioData(bytesOf(uri))));
      this.out = context.createGain();
      this.out.connect(context.destination);
      this.gains = this.buffers.map((_, index) => {
        const gain = context.createGain();
        gain.gain.value = Number(this.heard[index]);
        gain.connect(this.out);
        return gain;
      });
      // The volume and the mute button of the player act on this source, and are heard no more: the stems follow them.
      const silence = context.createGain();
      silence.gain.value = 0;
      context.createMediaElementSource(this.audio).connect(silence).connect(context.destination);
      for (const name of ["playing", "seeked", "ratechange"]) this.audio.addEventListener(name, () => this.start());
      for (const name of ["pause", "seeking", "waiting", "ended"]) this.audio.addEventListener(name, () => this.stop());
      this.audio.addEventListener("timeupdate", () => {
        if (this.sources.length && Math.abs(this.at() - this.audio.currentTime) > DRIFT) this.start();
      });
      this.audio.addEventListener("volumechange", () => this.level());
      this.level();
      this.start();
    }

    level() { glide(this.out.gain, this.audio.muted ? 0 : this.audio.volume); }

    at() { return this.offset + (context.currentTime - this.since) * this.audio.playbackRate; }

    start() {
      this.stop();
      if (this.audio.paused || this.audio.seeking || this.audio.ended) return;
      context.resume();
      this.since = context.currentTime + AHEAD;
      this.offset = this.audio.currentTime + AHEAD * this.audio.playbackRate;
      this.sources = this.buffers.flatMap((buffer, index) => {
        if (!buffer) return [];
        const source = context.createBufferSource();
        source.buffer = buffer;
        source.playbackRate.value = this.audio.playbackRate;
        source.connect(this.gains[index]);
        source.start(this.since, this.offset);
        return [source];
      });
    }

    stop() {
      for (const source of this.sources) { source.stop(); source.disconnect(); }
      this.sources = [];
    }

    show(heard) {
      this.heard = heard;
      if (this.gains) this.gains.forEach((gain, index) => glide(gain.gain, Number(heard[index])));
    }
  }

  class Mixer {
    constructor(box) {
      this.box = box;
      this.rows = all("li", box);
      const picture = box.parentElement.querySelector(".roll .picture");
      this.drawn = this.rows.map((_, index) => picture.shadowRoot.querySelector(`.part[data-part="${index}"]`));
      this.switched = this.rows.filter((row) => row.dataset.name !== undefined);
      for (const row of this.switched) {
        for (const button of all("button", row)) button.addEventListener("click", () => this.press(button));
      }
    }

    players() {
      const { result, prompt } = this.box.dataset;
      const found = [new Stems(byId(result), this.switched.map((row) => row.querySelector("[data-stem]")?.getAttribute("href")))];
      if (prompt && this.switched.some((row) => row.dataset.promptStem)) {
        found.push(new Stems(byId(prompt), this.switched.map((row) => row.dataset.promptStem)));
      }
      return found;
    }

    async press(button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      this.show();
      try {
        if (!this.loading) this.loading = this.load();
        await this.loading;
        this.report();
      } catch {
        this.say("This browser cannot play the parts alone.");
      }
    }

    // To decode minutes of many parts takes seconds, in which the mix plays on.
    async load() {
      this.say("Preparing the parts.");
      this.box.setAttribute("aria-busy", "true");
      try {
        if (!context) context = new AudioContext();
        this.stems = this.players();
        this.show();
        await Promise.all(this.stems.map((one) => one.load()));
      } finally {
        this.box.removeAttribute("aria-busy");
      }
    }

    is(row, what) { return row.querySelector(`[data-${what}]`).getAttribute("aria-pressed") === "true"; }

    heard() {
      const alone = this.switched.some((row) => this.is(row, "solo"));
      return this.switched.map((row) => !this.is(row, "mute") && (!alone || this.is(row, "solo")));
    }

    show() {
      const heard = this.heard();
      for (const one of this.stems || []) one.show(heard);
      this.switched.forEach((row, index) => {
        row.querySelector(".swatch").classList.toggle("unheard", !heard[index]);
        this.drawn[this.rows.indexOf(row)]?.classList.toggle("unheard", !heard[index]);
      });
    }

    report() {
      const heard = this.heard();
      const names = this.switched.filter((_, index) => heard[index]).map((row) => row.dataset.name);
      this.say(names.length === heard.length ? "All parts are heard." : names.length ? `Heard: ${names.join(", ")}.` : "No part is heard.");
    }

    say(text) { byId("status").textContent = text; }
  }

  for (const box of all("[data-mixer][data-result]")) new Mixer(box);
})();
