"""The engines view: one web component that draws what the routes tell; Gradio gives it its place and its colours."""

import gradio as gr

from demo.dashboard.house import House


def add_engines_view(house: House) -> None:
    """Lay out the engines view.

    Its lists change while they are looked at (builds, damage, what runs here), with a reason beside each choice, which
    Gradio's own radios and dropdowns cannot show.

    Args:
        house: whose checkpoints are shown.
    """
    del house  # the component asks the routes, so that a page that stays open shows what is there now
    gr.HTML("<onset-engines></onset-engines>", apply_default_css=False, elem_id="onset-engines")
