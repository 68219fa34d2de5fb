// Keeps the order page fresh: fetches it again and swaps the part that moves. Without this
// script the page reloads itself.
"use strict";

const QUICK_MS = 1000;
const CALM_MS = 5000;
const CALM_AFTER_MS = 120000;
const since = performance.now();

async function refresh() {
  const old = document.getElementById("order");
  try {
    const answer = await fetch(old.dataset.here, { headers: { Accept: "text/html" } });
    if (answer.ok) swap(old, await answer.text());
  } catch {
    // The shop is away for a moment: the next round asks again.
  }
  plan();
}

function swap(old, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.getElementById("order");
  if (!fresh || fresh.innerHTML === old.dataset.seen) return;
  const wasOpen = document.getElementById("timeline")?.open;
  const focused = document.activeElement?.id;
  fresh.dataset.seen = fresh.innerHTML;
  old.replaceWith(fresh);
  document.getElementById("cart-count").replaceWith(page.getElementById("cart-count"));
  const timeline = document.getElementById("timeline");
  if (timeline && wasOpen) timeline.open = true;
  if (focused) document.getElementById(focused)?.focus();
}

function plan() {
  if (document.getElementById("order").dataset.live !== "true") return;
  setTimeout(refresh, performance.now() - since < CALM_AFTER_MS ? QUICK_MS : CALM_MS);
}

plan();
