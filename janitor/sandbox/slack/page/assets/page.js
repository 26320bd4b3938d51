"use strict";

// Everything that is shown comes from the server, escaped there; this only asks for it, and says what is clicked.

const channels = document.getElementById("channels");
const said = document.getElementById("said");
let known = "";

async function show() {
  const answer = await fetch("/page/channels", { headers: known ? { "If-None-Match": known } : {} });
  // An open menu would close, and its choice be lost, if it were replaced.
  if (answer.status === 200 && !channels.contains(document.activeElement)) {
    known = answer.headers.get("ETag");
    channels.innerHTML = await answer.text();
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
  said.textContent = told.error ?? (told.lost ? "lost: the app does not listen"
    : told.in_time ? "acknowledged" : "not acknowledged within 3 seconds");
  await show();
}

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

document.getElementById("break").addEventListener("change", async (event) => {
  const told = await tell("/page/sockets", { do: event.target.value });
  said.textContent = told.error ?? `done to ${told.sockets} sockets`;
  event.target.value = "";
});

async function follow() {
  try {
    await show();
  } catch {
    said.textContent = "the sandbox does not answer";
  }
  setTimeout(follow, 1000);
}

follow();
