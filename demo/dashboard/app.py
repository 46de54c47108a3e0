"""The layout of the page: header, tabs, one view in each."""

import gradio as gr

from demo.dashboard.house import House
from demo.dashboard.views.engines import add_engines_view
from demo.dashboard.views.live import add_live_view
from demo.dashboard.views.replay import add_replay_view
from demo.dashboard.views.sessions import add_sessions_view
from demo.dashboard.words import word

VIEWS = (
    ("live", add_live_view),
    ("replay", add_replay_view),
    ("sessions", add_sessions_view),
    ("engines", add_engines_view),
)
UPLOADS_KEPT = (3600, 24 * 3600)
"""How often what was uploaded and not taken over is looked through, and when it goes, seconds."""
HEAD = """<link rel="icon" href="/onset/assets/onset.svg" type="image/svg+xml">
<link rel="stylesheet" href="/onset/assets/onset.css"><script type="module" src="/onset/assets/onset.js"></script>"""


def build_app(house: House) -> gr.Blocks:
    """The page over a house.

    Args:
        house: what the views show and steer.
    """
    app = gr.Blocks(title="Onset", analytics_enabled=False, fill_width=True, delete_cache=UPLOADS_KEPT)
    with app:
        gr.HTML("<onset-header></onset-header>", apply_default_css=False)
        with gr.Tabs(elem_id="onset-tabs"):
            for name, add_view in VIEWS:
                with gr.Tab(word(f"shell.{name}"), id=name, elem_id=f"onset-tab-{name}"):
                    add_view(house)
    return app
