"""Every route beside Gradio's own, one file a view."""

from starlette.routing import BaseRoute

from demo.dashboard.camera_routes import camera_routes
from demo.dashboard.engine_routes import engine_routes
from demo.dashboard.house import House
from demo.dashboard.live_routes import live_routes
from demo.dashboard.replay_routes import replay_routes
from demo.dashboard.session_routes import session_routes
from demo.dashboard.shell_routes import shell_routes


def all_routes(house: House) -> list[BaseRoute]:
    """The routes of all views, in the order in which they are tried."""
    views = (shell_routes, live_routes, camera_routes, replay_routes, session_routes, engine_routes)
    return [route for routes in views for route in routes(house)]
