// What a person may stumble over, as far as a browser can compute it: each finding is a line of text.
() => {
  const findings = [];
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  // WCAG 2.2: relative luminance and contrast ratio.
  const luminance = (colour) => {
    const [r, g, b] = parse(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const isClear = (colour) => parse(colour)[3] === 0;
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!isClear(backgroundColor)) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const isShown = (element) => element.checkVisibility({ contentVisibilityAuto: false, visibilityProperty: true });
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName) || !isShown(element)) continue;
    texts += 1;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const isLarge = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    const ratio = contrast(color, behind(element));
    if (ratio < (isLarge ? 3 : 4.5)) findings.push(`contrast ${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  const controls = [...document.querySelectorAll("a[href], button, input, select, audio, summary, [tabindex='0']")].filter(isShown);
  for (const control of controls) {
    const labelled = (control.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent || "").join("");
    const label = [...(control.labels || [])].map((one) => one.textContent).join("");
    if (!(control.getAttribute("aria-label") || labelled || label || control.textContent).trim()) findings.push(`no name: ${control.outerHTML.slice(0, 80)}`);
    const { borderTopColor, borderTopWidth } = getComputedStyle(control);
    const isEdged = ["A", "BUTTON"].includes(control.tagName) && !control.disabled && parseFloat(borderTopWidth) > 0 && !isClear(borderTopColor);
    if (isEdged && contrast(borderTopColor, behind(control.parentElement)) < 3) findings.push(`pale edge: ${control.textContent.trim()}`);
    const { width, height } = control.getBoundingClientRect();
    if (["BUTTON", "INPUT", "SUMMARY"].includes(control.tagName) && (width < 24 || height < 24)) findings.push(`small target: ${control.outerHTML.slice(0, 80)}`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) findings.push(`heading ${level} is followed by ${next}: ${heading.textContent}`);
    level = next;
  }
  if (document.querySelectorAll("h1").length !== 1) findings.push("not one h1");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) findings.push(`id more than once: ${id}`);
  for (const element of document.querySelectorAll("[aria-labelledby], [for], a[href^='#']")) {
    const id = element.getAttribute("aria-labelledby") || element.getAttribute("for") || element.getAttribute("href").slice(1);
    if (!document.getElementById(id)) findings.push(`leads nowhere: ${id}`);
  }
  if (!document.documentElement.lang) findings.push("no language");
  for (const landmark of ["header", "main", "footer"]) if (!document.querySelector(`body > ${landmark}`)) findings.push(`no ${landmark}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) findings.push(`${scrollWidth} pixels wide in ${clientWidth}`);
  return { findings, texts, controls: controls.length };
}
