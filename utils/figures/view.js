// The front end of every picture: it can be pointed at, it can be clicked, and it outlives its kernel.

const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "application/vnd.jupyter.widget-state+json";
const KEEPER = "course-keeper"; // the one model that a saved notebook keeps of ours

export default {
    initialize({ model }) {
        if (model.widget_manager?.context?.saveState) outliveKernel(model);
    },
    render({ model, el }) {
        const stopNaming = nameSliders(el, explorer => openLinksHere(model, explorer));
        const stopShowing = showPicture(model, el);
        outliving.get(model.widget_manager)?.places.add(el);
        model.send({ alive: true });
        return () => { stopNaming(); stopShowing(); };
    },
};

// Pointing and clicking ---------------------------------------------------------------------------

function showPicture(model, el) {
    el.innerHTML = `<div class="course-pane"><div class="course-reach"><div class="course-picture">
        <div class="course-outline" hidden></div><div class="course-tip" role="tooltip" hidden></div>
        </div></div></div>`;
    const [reach, frame, outline, tip] = ["reach", "picture", "outline", "tip"]
        .map(name => el.querySelector(`.course-${name}`));
    const image = document.createElement("img");
    let url = "", pointed = -1;

    function draw() {
        const { width, words } = model.get("shown");
        const png = model.get("png");
        frame.hidden = !png?.byteLength;
        if (frame.hidden) return;
        const old = url;
        url = URL.createObjectURL(new Blob([png], { type: "image/png" }));
        image.src = url;
        image.alt = words;
        frame.style.setProperty("--wide", `${width}px`);
        frame.style.setProperty("--ratio", png.getUint32(20) / png.getUint32(16)); // as a PNG says it
        if (!image.isConnected) frame.prepend(image);
        el.closest(".course-view")?.querySelector(".widget-html img")?.remove(); // now it is here
        point(-1);
        URL.revokeObjectURL(old);
    }

    function under(event) {
        const place = image.getBoundingClientRect();
        const scale = model.get("shown").width / place.width;
        const x = (event.clientX - place.left) * scale, y = (event.clientY - place.top) * scale;
        return model.get("regions").findLastIndex(
            ([[left, top, width, height]]) =>
                x >= left && x < left + width && y >= top && y < top + height);
    }

    function point(index, event) {
        pointed = index;
        outline.hidden = tip.hidden = index < 0;
        if (index < 0) return;
        const [[left, top, width, height], text, clickable] = model.get("regions")[index];
        const place = image.getBoundingClientRect(), scale = place.width / model.get("shown").width;
        Object.assign(outline.style, { left: `${left * scale}px`, top: `${top * scale}px`,
            width: `${width * scale}px`, height: `${height * scale}px` });
        frame.style.cursor = clickable ? "pointer" : "default";
        tip.textContent = text;
        const x = event.clientX - place.left + 14, y = event.clientY - place.top + 18;
        tip.style.left = `${Math.max(0, Math.min(x, place.width - tip.offsetWidth))}px`;
        tip.style.top = y + tip.offsetHeight > place.height && y > tip.offsetHeight + 30
            ? `${y - tip.offsetHeight - 30}px` : `${y}px`;
    }

    let before = -1; // what was pointed at when a finger came down
    frame.addEventListener("pointerdown", event => { before = pointed; point(under(event), event); });
    frame.addEventListener("pointermove", event => point(under(event), event));
    frame.addEventListener("pointerleave", event => {
        if (event.pointerType !== "touch") point(-1); // a finger that is lifted leaves the words
        frame.style.cursor = "default";
    });
    frame.addEventListener("click", event => {
        const index = under(event);
        if (index < 0 || !model.get("regions")[index][2]) return;
        if (event.pointerType === "touch" && index !== before) return; // the first tap points
        const does = model.get("regions")[index][2];
        if (typeof does === "string") openHere(model, frame, does);
        else model.send({ pick: index, of: model.get("shown").version });
    });
    const fit = new ResizeObserver(() => { // the keyboard reaches what can be scrolled
        if (reach.scrollWidth > reach.clientWidth) reach.tabIndex = 0;
        else reach.removeAttribute("tabindex");
    });
    fit.observe(reach);
    model.on("change:shown", draw);
    draw();
    return () => { fit.disconnect(); model.off("change:shown", draw); URL.revokeObjectURL(url); };
}

// A notebook beside this one opens in the same JupyterLab, at the cell after `#cell-id=`.
async function openHere(model, place, href) {
    const { context, rendermime } = model.widget_manager;
    const link = Object.assign(document.createElement("a"), { href, hidden: true });
    const [file, hash] = href.split("#");
    document.body.append(link); // JupyterLab's links act by what is clicked in the page
    if (context && rendermime?.linkHandler) {
        const path = await context.urlResolver.resolveUrl(file);
        rendermime.linkHandler.handleLink(link, path, hash && `#${hash}`);
        link.click();
        if (hash) await opened(place.closest(".jp-NotebookPanel"));
    } else link.target = "_blank";
    link.click(); // a notebook that was still being opened has not gone to the cell
    link.remove();
}

async function opened(own) { // another notebook, and its cells
    for (let turn = 0; turn < 60; turn++) {
        await new Promise(done => setTimeout(done, 250));
        const others = [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden)")]
            .filter(panel => panel !== own);
        if (others.some(panel => panel.querySelectorAll(".jp-Cell").length > 3) && turn > 2) return;
    }
}

function openLinksHere(model, explorer) { // those of its words
    explorer.addEventListener("click", event => {
        const href = event.target.closest("a[href]:not([hidden])")?.getAttribute("href");
        if (!/^[^:]*\.ipynb(#|$)/.test(href ?? "")) return;
        event.preventDefault();
        openHere(model, explorer, href);
    });
}

// What ipywidgets leaves out of a slider: its name, and the words of its value --------------------

function nameSliders(el, found) {
    const set = (handle, name, value) => {
        if (value && handle.getAttribute(name) !== value) handle.setAttribute(name, value);
    };
    let watcher, waiting;
    const name = () => {
        const explorer = el.closest(".course-explorer");
        for (const slider of explorer?.querySelectorAll(".widget-inline-hbox") ?? []) {
            const label = slider.querySelector(".widget-label")?.textContent;
            const shown = slider.querySelector(".widget-readout")?.textContent;
            const handles = slider.querySelectorAll(".noUi-handle");
            for (const handle of handles) {
                set(handle, "aria-label", label);
                // the readout of a range, of two handles, is both their values
                if (handles.length === 1) set(handle, "aria-valuetext", shown);
            }
        }
        if (!explorer || watcher) return;
        found(explorer);
        watcher = new MutationObserver(name);
        watcher.observe(explorer, { childList: true, subtree: true, characterData: true,
            attributeFilter: ["aria-valuetext"] });
    };
    (function wait(frames = 0) {
        name();
        if (!watcher && frames < 300) waiting = requestAnimationFrame(() => wait(frames + 1));
    })();
    return () => { cancelAnimationFrame(waiting); watcher?.disconnect(); };
}

// After the kernel --------------------------------------------------------------------------------
// A saved notebook keeps one small widget, this one, with what every output last showed. JupyterLab
// makes it anew when the notebook is opened, and where it would say "model not found" it shows that.
// The outputs' own widgets are not kept: an export to HTML would show those, by way of a network.

const outliving = new WeakMap(); // a notebook's widget manager → its places, and what was kept

function outliveKernel(model) {
    const manager = model.widget_manager, { context } = manager, says = model.get("says");
    if (!outliving.has(manager)) startOutliving(model, manager, context, says);
    Object.assign(outliving.get(manager).kept, model.get("kept"));
    if (Object.keys(model.get("kept")).length) drawAgain(context.model, outliving.get(manager).kept);
}

function startOutliving(model, manager, context, says) {
    const places = new Set(), before = {};
    outliving.set(manager, { places, kept: before });

    context.saveState.connect((_context, state) => {
        if (state !== "started") return;
        const live = manager.get_state_sync().state, kept = {};
        for (const cell of context.model.toJSON().cells)
            for (const { data } of cell.outputs ?? []) {
                const id = data?.[VIEW]?.model_id;
                const html = live[id] ? asHtml(live, id) : before[id];
                if (html) kept[id] = html;
            }
        const own = Object.fromEntries(["_esm", "_css", "_anywidget_id", "_view_name", "_view_module",
            "_view_module_version"].map(name => [name, model.get(name)]));
        const keeper = { model_name: "AnyModel", model_module: "anywidget",
            model_module_version: model.get("_model_module_version"),
            state: { ...own, says, kept } };
        const states = { version_major: 2, version_minor: 0, state: { [KEEPER]: keeper } };
        if (Object.keys(kept).length) context.model.setMetadata("widgets", { [STATE]: states });
    });

    context.sessionContext.statusChanged.connect((_session, status) => {
        if (!["restarting", "autorestarting", "terminating", "dead"].includes(status)) return;
        for (const place of places)
            place.closest(".jp-Notebook")?.querySelectorAll(".course-widget")
                .forEach(root => tellAsleep(root, says.restarted));
    });

    context.sessionContext.iopubMessage.connect((_session, { header, content }) => {
        const name = header.msg_type === "error" && content.ename === "NameError"
            && /'(\w+)'/.exec(content.evalue)?.[1];
        if (name) setTimeout(() => tellMissing(context.model.cells, name, says.missing));
    });

    const probe = manager.rendermime.createRenderer(VIEW);
    const renderer = Object.getPrototypeOf(probe), render = renderer.renderModel;
    probe.dispose();
    if (renderer.courseWakes) return;
    renderer.courseWakes = true;
    renderer.renderModel = async function (output) {
        await render.call(this, output);
        if (!this.node.textContent.includes("model not found")) return;
        const owner = await this._manager.promise;
        const html = outliving.get(owner)?.kept[output.data[VIEW].model_id] ?? fromBundle(output);
        if (!html) return;
        this.node.innerHTML = owner.rendermime.sanitizer.sanitize(html);
        tellAsleep(this.node, says.asleep);
    };
}

function drawAgain(notebook, kept) { // what JupyterLab has drawn before this came
    const { dirty } = notebook;
    for (const { outputs } of notebook.cells)
        for (let i = 0; i < (outputs?.length ?? 0); i++)
            if (outputs.get(i).data[VIEW]?.model_id in kept) outputs.set(i, outputs.get(i).toJSON());
    notebook.dirty = dirty;
}

// A name that a cell above gives: that cell has not run since the kernel started.
function tellMissing(cells, name, sentence) {
    const gives = new RegExp(
        `^\\s*(def|class)\\s+${name}\\b|^${name}\\s*[:=]|\\bimport\\b.*\\b${name}\\b`, "m");
    let above = false;
    for (const { outputs, sharedModel } of cells) {
        const last = outputs?.length ? outputs.get(outputs.length - 1).toJSON() : {};
        if (above && last.ename === "NameError" && last.evalue.includes(`'${name}'`)) {
            const data = { "text/markdown": sentence.replace("{name}", `\`${name}\``) };
            outputs.add({ output_type: "display_data", metadata: {}, data });
        }
        above ||= gives.test(sharedModel.source);
    }
}

function tellAsleep(root, sentence) {
    if (!root || root.querySelector(":scope > .course-asleep")) return;
    const note = document.createElement("div");
    note.className = "course-asleep";
    note.setAttribute("role", "status");
    note.textContent = sentence;
    root.prepend(note);
}

function asHtml(live, id) {
    const { state = {}, buffers = [] } = live[id] ?? {};
    const inside = (state.children ?? []).map(child => asHtml(live, child.slice(10))).join("");
    const [png] = buffers.filter(({ path }) => path[0] === "png");
    if (png) return imageHtml(png.data, state.shown.words, state.shown.width);
    if (state._options_labels && state._view_name === "RadioButtonsView")
        return state._options_labels
            .map((label, i) => `<div>${i === state.index ? "●" : "○"} ${escaped(label)}</div>`)
            .join("");
    return state._view_name === "HTMLView" ? state.value ?? "" : inside;
}

function fromBundle({ data, metadata }) {
    if (data["text/html"]) return data["text/html"];
    const png = data["image/png"], about = metadata["image/png"] ?? {};
    return png && imageHtml(png, about.alt ?? data["text/plain"], about.width);
}

function imageHtml(png, words, width) {
    const source = `src="data:image/png;base64,${png}" width="${width}"`;
    return `<div class="course-kept"><img alt="${escaped(words)}" ${source}></div>`;
}

function escaped(text) {
    return text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt()};`);
}
