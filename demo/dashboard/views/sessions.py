"""The sessions view: one web component that draws what the routes tell; Gradio gives it its place and its colours."""

import gradio as gr

from demo.dashboard.house import House


def add_sessions_view(house: House) -> None:
    """Lay out the sessions view.

    Thousands of rows of which several can be chosen at once, on a phone too, are more than Gradio's table can do.

    Args:
        house: whose sessions are shown.
    """
    del house  # the component asks the routes, so that a page that stays open shows what is there now
    gr.HTML("<onset-sessions></onset-sessions>", apply_default_css=False, elem_id="onset-sessions")
