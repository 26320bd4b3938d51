"use strict";

// Everything that is shown comes from the server, escaped there; this only asks for it, and says what is clicked.

const channels = document.getElementById("channels");
const said = document.getElementById("said");
let known = channels.dataset.mark;
let pressed = false;

async function show() {
  const answer = await fetch("/page/channels", { headers: { "If-None-Match": known } });
  const text = await answer.text();
  // An open menu would close, and a click that has begun would not end, if they were replaced.
  if (answer.status === 200 && !pressed && !document.activeElement.matches("main select")) {
    known = answer.headers.get("ETag");
    channels.innerHTML = text;
  }
}

async function tell(path, value) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(value) });
  return answer.json();
}

async function click(element, option) {
  if (element.dataset.confirm && !window.confirm(element.dataset.confirm)) {
    return;
  }
  const message = element.closest("article");
  element.disabled = true;
  const told = await tell("/page/click", {
    channel: message.dataset.channel,
    ts: message.dataset.ts,
    block: element.closest("[data-block]").dataset.block,
    element: element.dataset.element,
    option,
    by: document.getElementById("by").value,
    how: document.getElementById("how").value,
  });
  element.disabled = false;
  element.blur();
  said.textContent = told.error ?? told.done;
  await show();
}

document.addEventListener("pointerdown", (event) => { pressed = event.target.matches("button"); });
document.addEventListener("pointerup", () => { pressed = false; });
document.addEventListener("pointercancel", () => { pressed = false; });

channels.addEventListener("click", (event) => {
  if (event.target.matches("button[data-element]")) {
    click(event.target, null);
  }
});

channels.addEventListener("change", (event) => {
  if (event.target.matches("select[data-element]") && event.target.value !== "") {
    click(event.target, event.target.value).finally(() => { event.target.value = ""; });
  }
});

async function breakIt(path, menu) {
  const told = await tell(path, { do: menu.value });
  said.textContent = told.error ?? told.done;
}

document.getElementById("break").addEventListener("change", async (event) => {
  await breakIt("/page/sockets", event.target);
  event.target.value = "";
});

document.getElementById("outage").addEventListener("change", (event) => breakIt("/page/calls", event.target));

async function follow() {
  try {
    await show();
  } catch {
    said.textContent = "the sandbox does not answer";
  }
  setTimeout(follow, 1000);
}

follow();
