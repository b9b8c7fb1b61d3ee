"""Gives each slider's handle the name of its slider, which ipywidgets leaves out.

Without it a screen reader says "slider, 0.7" and not "temperature, slider, 0.7".
"""

import anywidget


class SliderNames(anywidget.AnyWidget):
    """An invisible widget: it names the handles of all sliders in the explorer around it."""

    _esm = """
    export default {
        render({ el }) {
            el.style.display = "none";
            let watcher;
            const name = () => {
                const explorer = el.closest(".course-explorer");
                for (const slider of explorer?.querySelectorAll(".widget-inline-hbox") ?? []) {
                    const label = slider.querySelector(".widget-label")?.textContent;
                    for (const handle of slider.querySelectorAll(".noUi-handle"))
                        handle.setAttribute("aria-label", label);
                }
                if (explorer && !watcher) {
                    watcher = new MutationObserver(name);
                    watcher.observe(explorer, { childList: true, subtree: true });
                }
            };
            requestAnimationFrame(function wait() {
                name();
                if (!watcher) requestAnimationFrame(wait);
            });
            return () => watcher?.disconnect();
        },
    };
    """
