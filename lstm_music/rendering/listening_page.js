"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const announce = (text) => { byId("status").textContent = text; };
  const clock = (seconds) => {
    const whole = Math.floor(seconds + 1e-6);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  document.documentElement.classList.add("scripted");

  // Browsers from before 2024 leave declarative shadow roots as templates.
  for (const template of all("template[shadowrootmode]")) {
    template.parentNode.attachShadow({ mode: "open" }).append(template.content);
    template.remove();
  }

  // Bytes lie in the file once: whoever shows them again takes them from the first player.
  for (const element of all("[data-same-as]")) {
    element.setAttribute(element.tagName === "A" ? "href" : "src", byId(element.dataset.sameAs).getAttribute("src"));
  }

  // The files of a generation do not depend on where its storage lies; the page can see that where it is opened from the disk.
  const place = location.protocol === "file:" && decodeURIComponent(location.pathname).match(/^(.+)\/generations\/[^/]+\/[^/]+$/);
  if (place) {
    const storage = `'${place[1].replaceAll("'", "'\\''")}'`;
    for (const code of all(".command code")) code.textContent += ` --storage ${storage}`;
  }

  // "play" does not bubble, so it is caught on its way down.
  document.addEventListener("play", (event) => {
    for (const other of all("audio")) if (other !== event.target) other.pause();
  }, true);

  class Roll {
    constructor(box) {
      this.box = box;
      this.scroller = box.querySelector(".scroll");
      this.canvas = box.querySelector(".canvas");
      this.head = box.querySelector(".playhead");
      this.range = box.querySelector("input");
      this.time = box.querySelector(".time");
      this.button = box.querySelector("[data-play]");
      this.label = box.querySelector("[data-play-label]");
      this.isFollowing = true;
      const { prompt, promptX, promptRate, result, resultX, resultRate } = box.dataset;
      this.parts = [];
      if (prompt) this.parts.push({ name: "prompt", audio: byId(prompt), x: Number(promptX), rate: Number(promptRate) });
      this.parts.push({ name: "result", audio: byId(result), x: Number(resultX), rate: Number(resultRate) });
      // The prompt's audio rings on after its last beat; on the common time line it ends where the result begins.
      let from = 0;
      this.parts.forEach((part, index) => {
        const whole = Number(part.audio.dataset.seconds);
        const next = this.parts[index + 1];
        part.from = from;
        part.seconds = next && next.x > part.x ? Math.min(whole, (next.x - part.x) / part.rate) : whole;
        from += part.seconds;
      });
      this.total = from;
      this.part = this.parts.find(({ audio }) => !audio.paused) || this.parts[0];
      this.goesOn = false;
      this.range.max = this.total.toFixed(1);
      this.head.hidden = false;
      this.listen();
      this.run();
    }

    listen() {
      for (const part of this.parts) {
        part.audio.addEventListener("play", () => { this.part = part; this.isFollowing = true; this.run(); });
        part.audio.addEventListener("pause", () => this.show());
        part.audio.addEventListener("seeking", () => { this.part = part; this.isFollowing = true; this.show(); });
        part.audio.addEventListener("timeupdate", () => this.step(part)); // also where no frame is drawn: a hidden tab
        part.audio.addEventListener("ended", () => this.step(part));
      }
      this.button.addEventListener("click", () => this.toggle());
      this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
      this.canvas.addEventListener("click", (event) => this.seekTo(this.unit(event.clientX)));
      // Who scrolls by hand wants to look elsewhere.
      for (const hand of ["wheel", "touchmove", "keydown"]) {
        this.scroller.addEventListener(hand, () => { this.isFollowing = false; }, { passive: true });
      }
    }

    scale() {
      const svg = this.box.querySelector(".picture").shadowRoot.querySelector("svg");
      const units = svg.viewBox.baseVal ? svg.viewBox.baseVal.width : 0;
      return units ? svg.getBoundingClientRect().width / units : 1;
    }

    unit(clientX) { return (clientX - this.canvas.getBoundingClientRect().left) / this.scale(); }

    seekTo(x) {
      const part = this.parts.filter((one) => one.x <= x).pop() || this.parts[0];
      this.seek(part.from + Math.min(Math.max((x - part.x) / part.rate, 0), part.seconds - 1e-3));
    }

    seek(seconds) {
      const part = this.parts.filter((one) => one.from <= seconds + 1e-9).pop();
      const isPlaying = !this.part.audio.paused;
      if (isPlaying && part !== this.part) this.part.audio.pause();
      this.part = part;
      part.audio.preload = "auto";
      part.audio.currentTime = seconds - part.from;
      if (isPlaying) part.audio.play();
      this.isFollowing = true;
      this.show();
    }

    toggle() {
      if (!this.part.audio.paused) { this.goesOn = false; this.part.audio.pause(); return; }
      if (this.now() >= this.total - 0.05 || this.part.audio.ended) this.seek(0);
      this.goesOn = true;
      this.part.audio.play();
    }

    now() { return Math.min(this.part.from + this.part.audio.currentTime, this.total); }

    step(part) {
      const next = this.parts[this.parts.indexOf(part) + 1];
      if (this.goesOn && next && part === this.part && part.audio.currentTime >= part.seconds - 0.02) {
        part.audio.pause();
        next.audio.currentTime = 0;
        this.part = next;
        next.audio.play();
      }
      if (part === this.part) this.show();
    }

    run() {
      const frame = () => {
        if (this.part.audio.paused) { this.isRunning = false; return; }
        this.step(this.part);
        requestAnimationFrame(frame);
      };
      if (!this.isRunning) requestAnimationFrame(frame); // a second loop would draw everything twice
      this.isRunning = true;
      this.show();
    }

    show() {
      const { part } = this;
      const isPlaying = !part.audio.paused;
      const x = Math.min((part.x + part.audio.currentTime * part.rate) * this.scale(), this.canvas.clientWidth);
      this.head.style.transform = `translateX(${x.toFixed(2)}px)`;
      this.button.classList.toggle("playing", isPlaying);
      const label = isPlaying ? "Pause" : this.parts.length > 1 ? "Play both" : "Play";
      if (this.label.textContent !== label) this.label.textContent = label;
      // A position spoken more often than once a second would drown everything else.
      const where = `${this.parts.length > 1 ? `${part.name} ` : ""}${clock(part.audio.currentTime)} / ${clock(Number(part.audio.dataset.seconds))}`;
      if (this.time.textContent !== where) {
        this.time.textContent = where;
        this.range.setAttribute("aria-valuetext", where.replace("/", "of"));
      }
      if (this.range !== document.activeElement || isPlaying) this.range.value = this.now();
      if (isPlaying && this.isFollowing) this.follow(x);
    }

    follow(x) {
      const { scrollLeft, clientWidth } = this.scroller;
      if (!calm.matches) this.scroller.scrollLeft = x - clientWidth * 0.4;
      else if (x < scrollLeft || x > scrollLeft + clientWidth) this.scroller.scrollLeft = x - 32;
    }
  }
  // Laying out 64 pictures takes long, and most are never scrolled to.
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) { seen.unobserve(target); new Roll(target); }
    }
  }, { rootMargin: "800px" });
  for (const box of all("[data-roll][data-result]")) seen.observe(box);

  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = byId(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(code.textContent);
        announce("Copied");
        button.firstChild.textContent = "Copied";
        setTimeout(() => { button.firstChild.textContent = "Copy"; }, 2000);
      } catch { // not every browser lets a file from the disk write there
        getSelection().selectAllChildren(code);
        announce("Selected: press Ctrl+C to copy");
      }
    });
  }

  const quiz = byId("quiz");
  if (quiz) {
    const text = byId("quiz-answers").textContent;
    const truth = JSON.parse(text);
    const questions = all(".question", quiz);
    const choices = all("[data-answer]", quiz);
    const next = quiz.querySelector("[data-next]");
    const said = quiz.querySelector(".said");
    const key = `lstm-music quiz ${document.title} ${text.length} ${truth.map((one) => Number(one.generated)).join("")}`;
    let given = [];
    let at = 0;
    // A browser may forbid storage altogether; then the count lasts as long as the page.
    const remember = () => { try { localStorage.setItem(key, JSON.stringify(given)); } catch { /* counted in memory */ } };
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      if (Array.isArray(kept)) given = kept.slice(0, truth.length).map(Boolean);
    } catch { /* nothing kept */ }

    const isRight = (index) => given[index] === truth[index].generated;
    const show = () => {
      const isOver = at >= truth.length;
      const isAnswered = at < given.length;
      const right = given.filter((_, index) => isRight(index)).length;
      questions.forEach((question, index) => { question.hidden = index !== at; });
      for (const choice of choices) {
        choice.hidden = isOver;
        choice.disabled = isAnswered;
        choice.classList.toggle("chosen", isAnswered && given[at] === (choice.dataset.answer === "generated"));
      }
      next.hidden = isOver || !isAnswered;
      next.textContent = at === truth.length - 1 ? "See how you did" : "Next clip";
      quiz.querySelector(".marks").textContent = truth.map((_, index) => (index >= given.length ? "○" : isRight(index) ? "✓" : "✗")).join("");
      quiz.querySelector(".score").textContent = given.length ? `${right} of ${given.length} right` : "";
      quiz.querySelector("[data-reset]").hidden = !given.length;
      said.classList.toggle("fine", isAnswered && !isOver && isRight(at));
      said.classList.toggle("notice", isAnswered && !isOver && !isRight(at));
      if (isOver) said.textContent = `You got ${right} of ${truth.length} right; guessing gives about half.`;
      else if (!isAnswered) said.textContent = "";
      else said.textContent = `${isRight(at) ? "✓ Right" : "✗ Wrong"}: ${truth[at].generated ? "generated" : "real"}, ${truth[at].about}.`;
    };
    for (const choice of choices) {
      choice.addEventListener("click", () => {
        if (at < given.length) return;
        given.push(choice.dataset.answer === "generated");
        remember();
        show();
        next.focus();
      });
    }
    next.addEventListener("click", () => {
      for (const audio of all("audio", quiz)) audio.pause();
      at += 1;
      show();
      if (at < truth.length) questions[at].querySelector("audio").focus();
      else quiz.querySelector("[data-reset]").focus();
    });
    quiz.querySelector("[data-reset]").addEventListener("click", () => {
      for (const audio of all("audio", quiz)) audio.pause();
      given = [];
      at = 0;
      remember();
      show();
      questions[0].querySelector("audio").focus();
    });
    at = given.length;
    show();
  }
})();
