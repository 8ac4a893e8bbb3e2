// The page: one connection, what it tells shown as text, what a person does sent as words.

import { Picture } from "./picture.js";
import { Microphone } from "./voice.js";

const $ = (id) => document.getElementById(id);
const KINDS = ["color", "depth"];
const state = { socket: null, plan: null, task: null, keep: null, changes: [], pointings: [], retarget: null, tries: 0 };

const fragment = new URLSearchParams(location.hash.slice(1)).get("token");
if (fragment) {
  sessionStorage.setItem("token", fragment);
  history.replaceState(null, "", location.pathname);
}

// -- the connection -------------------------------------------------------------------------------

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  state.socket = socket;
  socket.onopen = () => socket.send(JSON.stringify({ token: sessionStorage.getItem("token") ?? "" }));
  socket.onmessage = (event) => {
    if (typeof event.data === "string") take(JSON.parse(event.data));
    else {
      const bytes = new Uint8Array(event.data);
      picture.show(KINDS[bytes[0]], bytes.subarray(1)).catch(() => {});
    }
  };
  socket.onclose = (event) => {
    const refused = event.code === 4401;
    $("link").textContent = refused ? "wrong token: open the address that the console prints" : "connection lost, trying again";
    $("world").textContent = "not connected";
    if (!refused) setTimeout(connect, Math.min(250 * 2 ** state.tries++, 1000));
  };
}

function send(message) {
  if (state.socket?.readyState === WebSocket.OPEN) {
    state.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    return true;
  }
  note("not connected: nothing was sent. The emergency button works without this page.");
  return false;
}

// -- what is told ---------------------------------------------------------------------------------

const takers = {
  snapshot(message) {
    state.tries = 0;
    $("link").textContent = "connected";
    $("chat").replaceChildren();
    $("status").replaceChildren();
    $("timing").replaceChildren();
    for (const kind of ["chat", "status", "timing"]) message[kind].forEach((m) => takers[kind](m));
    // A console that was started anew knows nothing of what this page showed before.
    if (!message.plan) state.plan = null;
    takers.task(message.task ?? { ended: true });
    for (const kind of ["plan", "health"]) if (message[kind]) takers[kind](message[kind]);
  },
  chat(message) {
    const item = element("li", message.text, message.who === "you" ? "you" : message.kind ?? "");
    if (message.kind === "heard") item.prepend(element("small", "heard"));
    if (message.fix) item.append(element("small", message.fix));
    if (message.kind === "refused") {
      const why = element("button", "Why?");
      why.type = "button";
      why.onclick = () => askWhy("", -1);
      item.append(group([why]));
    }
    if (message.options?.length) item.append(group(message.options.map(option)));
    $("chat").append(item);
    while ($("chat").childElementCount > 100) $("chat").firstElementChild.remove();
    $("chat").scrollTop = $("chat").scrollHeight;
  },
  status(message) {
    $("status").prepend(element("li", `${message.node}: ${message.message}`));
    while ($("status").childElementCount > 30) $("status").lastElementChild.remove();
  },
  timing(message) {
    for (const [stage, ms] of Object.entries(message.stages)) if (stage === "total" || stage === "plan" || stage === "ground") {
      const item = element("li");
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      bar.setAttribute("aria-hidden", "true");
      rect.setAttribute("height", "100%");
      rect.setAttribute("width", `${Math.min(100, ms / 5)}%`);
      bar.append(rect);
      item.append(element("span", stage), bar, element("span", ms.toFixed(0)));
      $("timing").prepend(item);
    }
    while ($("timing").childElementCount > 12) $("timing").lastElementChild.remove();
  },
  plan(message) {
    state.plan = message.plan;
    state.keep = message.plan.steps.map((s) => s.index);
    state.changes = [];
    showPlan();
  },
  task(message) {
    state.task = message.ended ? null : message;
    $("task").textContent = message.ended ? "idle" : `${message.phase}: ${message.message}`;
    showPlan();
  },
  health(message) {
    const real = !message.simulated;
    $("world").textContent = real ? "real robot" : "simulated";
    $("world").className = real ? "tag real" : "tag";
    $("health").replaceChildren(...message.parts.map((p) => element("li", `${p.part || p.name}: ${p.message || "ok"}`, p.ok ? "" : "bad")));
    const missing = message.parts.filter((p) => !p.ok);
    $("missing").hidden = !missing.length;
    $("missing").textContent = missing.map((p) => `waiting for ${p.part || p.name}: ${p.message}`).join("; ");
    const model = message.parts.find((p) => p.part === "model")?.facts ?? {};
    $("model").textContent = model.rung === "remote" ? "remote model: pictures leave this machine" : model.rung ? `model on ${model.rung}` : "";
  },
  speech() {},
  why: showWhy,
  error(message) {
    if (message.to === "why") $("why-wait").textContent = `${message.message}. ${message.fix ?? ""}`;
    else note([message.message, message.fix].filter(Boolean).join(". "));
  },
};

function take(message) {
  takers[message.type]?.(message);
}

function note(text) {
  takers.chat({ who: "console", kind: "refused-note", text });
}

// -- the plan -------------------------------------------------------------------------------------

function showPlan() {
  const plan = state.plan, task = state.task;
  const waits = task?.phase === "approval" && Boolean(plan) && plan.plan_id === task.plan_id;
  // Boxes of what is still ahead: where a thing was before it was moved, nothing is any more.
  const runs = task?.phase === "executing";
  picture.ahead = task && plan && plan.plan_id === task.plan_id ? plan.steps.filter((s) => !runs || s.index >= task.step) : [];
  // The first of them may be in the hand already.
  picture.held = runs && picture.ahead[0]?.skill === "place" ? picture.ahead[0] : null;
  const changed = plan && (state.changes.length || state.keep.join() !== plan.steps.map((s) => s.index).join());
  picture.draw();
  $("approval").hidden = !waits;
  $("approve").hidden = Boolean(changed);
  $("apply").hidden = !changed;
  $("why-plan").hidden = !plan;
  $("plan-words").textContent = plan ? `“${plan.instruction}”` : "No plan yet.";
  if (!plan) {
    $("sure").textContent = "";
    $("steps").replaceChildren();
    return;
  }
  $("sure").textContent = `${Math.round(100 * plan.confidence)}% sure`;
  const shown = waits ? state.keep.map((i) => plan.steps[i]) : plan.steps;
  $("steps").replaceChildren(...shown.map((step, place) => stepItem(step, place, waits, task)));
}

function stepItem(step, place, waits, task) {
  const running = task?.phase === "executing" && task.plan_id === state.plan.plan_id;
  const item = element("li", "", running ? (place < task.step ? "past" : place === task.step ? "now" : "") : "");
  const says = element("span", "", "says");
  const change = state.changes.find((c) => c.step === step.index);
  says.append(element("span", step.says + (change ? ` → ${change.phrase ?? "what is pointed at"}` : "")), element("span", `${Math.round(100 * step.confidence)}%`, "sure"));
  item.append(says);
  const buttons = [button("Why?", () => askWhy(state.plan.plan_id, step.index), `why step ${place + 1}`)];
  if (waits) {
    const part = step.skill === "place" ? "reference" : "target";
    buttons.push(
      button("Drop", () => edit((keep) => keep.filter((i) => i !== step.index)), `drop step ${place + 1}`),
      button("↑", () => edit((keep) => moved(keep, place, -1)), `move step ${place + 1} up`),
      button("↓", () => edit((keep) => moved(keep, place, 1)), `move step ${place + 1} down`),
    );
    if (step[part]) {
      const name = element("input");
      name.setAttribute("aria-label", `another thing for step ${place + 1}`);
      name.placeholder = step[part].label;
      name.onchange = () => { retarget({ step: step.index, part, phrase: name.value }); };
      buttons.push(name, button("Point", () => { state.retarget = { step: step.index, part }; $("picture").focus(); }, `point at another thing for step ${place + 1}`));
    }
  }
  item.append(group(buttons));
  return item;
}

const moved = (keep, place, by) => {
  const made = [...keep], other = place + by;
  if (other >= 0 && other < made.length) [made[place], made[other]] = [made[other], made[place]];
  return made;
};

function edit(change) {
  state.keep = change(state.keep);
  showPlan();
}

function retarget(change) {
  state.changes = [...state.changes.filter((c) => c.step !== change.step), ...(change.box || change.phrase.trim() ? [change] : [])];
  showPlan();
}

function decide(approve) {
  send({ do: "decide", plan_id: state.plan.plan_id, digest: state.plan.digest, approve });
}

$("approve").onclick = () => decide(true);
$("reject").onclick = () => decide(false);
$("apply").onclick = () => {
  send({ do: "edit", plan_id: state.plan.plan_id, digest: state.plan.digest, keep: state.keep, changes: state.changes });
};
$("why-plan").onclick = () => askWhy(state.plan.plan_id, -1);

// -- why ------------------------------------------------------------------------------------------

function askWhy(plan_id, step) {
  $("why-picture").hidden = true;
  $("why-facts").replaceChildren();
  $("why-wait").textContent = step >= 0 ? "hiding parts of the picture from the model, to see where it looks…" : "reading the record…";
  $("why").showModal();
  send({ do: "why", plan_id, step });
}

function showWhy(message) {
  const record = message.record;
  $("why-wait").textContent = `“${record.instruction}”`;
  $("why-picture").hidden = !message.picture;
  if (message.picture) $("why-picture").src = `data:image/png;base64,${message.picture}`;
  const facts = [["model", record.model], ["read as", record.reply], ["sure", `${Math.round(100 * record.reading_confidence)}%`]];
  for (const step of record.steps) if (message.step < 0 || step.index === message.step) {
    for (const thing of [step.target, step.reference]) if (thing) {
      const rivals = thing.rivals.map((r) => `${Math.round(100 * r.score)}%`).join(", ");
      facts.push([thing.phrase, `${Math.round(100 * thing.score)}% sure; other things that it might be: ${rivals || "none"}`]);
    }
  }
  if (record.refused) facts.push(["refused", `${record.refused.code}: ${record.refused.message}`]);
  const broken = record.gate.filter((v) => v.refusal);
  if (record.gate.length) facts.push(["rules", broken.length ? broken.map((v) => v.refusal).join("; ") : `${record.gate.length} checks, all hold`]);
  facts.push(["milliseconds", Object.entries(record.timings_ms).map(([k, v]) => `${k} ${v}`).join(", ")]);
  $("why-facts").replaceChildren(...facts.flatMap(([k, v]) => [element("dt", k), element("dd", v || "–")]));
}
$("why-close").onclick = () => $("why").close();

// -- what a person does ---------------------------------------------------------------------------

function say(words) {
  if (!words.trim()) return;
  if (send({ do: "say", words, pointings: state.pointings })) {
    state.pointings = [];
    showChips();
  }
}

$("say").onsubmit = (event) => {
  event.preventDefault();
  say($("words").value);
  $("words").value = "";
};
document.querySelectorAll("[data-say]").forEach((b) => { b.onclick = () => say(b.dataset.say); });

const stop = () => send({ do: "stop" });
$("stop").onclick = stop;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, button, summary, dialog");
  if (event.key === "Escape" || (event.key === " " && !typing)) {
    if (event.key === " ") event.preventDefault();
    stop();
  }
}, true);

function point(box, stamp) {
  if (state.retarget) {
    retarget({ ...state.retarget, box });
    state.retarget = null;
    return;
  }
  state.pointings = [...state.pointings, { box, stamp_ns: stamp }].slice(-4);
  showChips();
  $("words").focus();
}

function showChips() {
  picture.pointed = state.pointings.map((p) => p.box);
  $("chips").replaceChildren(...state.pointings.map((p, i) => button(`${i ? "there" : "this"} ✕`, () => {
    state.pointings.splice(i, 1);
    showChips();
  }, `forget pointing ${i + 1}`)));
  picture.draw();
}

for (const kind of KINDS) $(`show-${kind}`).onclick = () => {
  KINDS.forEach((k) => $(`show-${k}`).setAttribute("aria-pressed", String(k === kind)));
  picture.choose(kind);
};
$("show-boxes").onclick = (event) => {
  picture.boxes = !picture.boxes;
  event.currentTarget.setAttribute("aria-pressed", String(picture.boxes));
  picture.draw();
};

// -- small parts ----------------------------------------------------------------------------------

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function button(text, act, label = "") {
  const made = element("button", text);
  made.type = "button";
  made.onclick = act;
  if (label) made.setAttribute("aria-label", label);
  return made;
}

const option = (text) => button(text, () => say(text));

function group(parts) {
  const made = element("div", "", "choices");
  made.append(...parts);
  return made;
}

/** What this page knows, for whoever looks into it: its last plan and task. */
export const known = () => ({ plan: state.plan, task: state.task });

const picture = new Picture(point);
new Microphone($("mic"), (bytes) => send(bytes), note);
connect();
