"""Tells a screen reader what each slider is called and says, which ipywidgets leaves out.

Without it one hears "slider, 0.7000000000000001", and with it "temperature, slider, 0.70".
"""

import anywidget


class SliderNames(anywidget.AnyWidget):
    """An invisible widget: it names the handles of all sliders in the explorer around it.

    A handle's value is given as the number, or the word, that stands beside the slider.
    """

    _esm = """
    export default {
        render({ el }) {
            el.style.display = "none";
            const set = (handle, name, value) => {
                if (value && handle.getAttribute(name) !== value) handle.setAttribute(name, value);
            };
            let watcher;
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
                if (explorer && !watcher) {
                    watcher = new MutationObserver(name);
                    watcher.observe(explorer, {
                        childList: true,
                        subtree: true,
                        characterData: true,
                        attributeFilter: ["aria-valuetext"],
                    });
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
