"""What the shop's code declares for LINE: addresses, hooks, scenarios, receipts, the rich menu."""

from __future__ import annotations

from importlib.util import find_spec

from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..errors import LineConnectError
from ..hooks.table import HookTable
from ..marketing.scenarios.checking import World
from ..marketing.scenarios.checking import check_scenario
from ..marketing.scenarios.declared import Scenarios
from ..rich_menus import publish
from ..rich_menus import releases
from ..state import LineState
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import wrong
from .visit import Visit

#: Ours that LINE or a phone asks for, and how.
_OURS = {
    "lineconnect.webhook": "POST",
    "lineconnect.callback": "GET",
    "lineconnect.login": "GET",
    "lineconnect.card": "GET",
}


def _routes(visit: Visit) -> Said:
    app = visit.line.app
    # Without a host, as Flask finds views; `host-names` looks at hosts.
    adapter = app.url_map.bind("localhost")
    for endpoint, method in _OURS.items():
        path = adapter.build(endpoint, method=method)
        try:
            found, _values = adapter.match(path, method=method)
        except (HTTPException, RequestRedirect) as error:
            found = type(error).__name__
        if found != endpoint:
            return wrong(
                f"{path} leads to {found}, which stands in the way of {endpoint}",
                "move that page, or let ours live elsewhere by LINECONNECT_URL_PREFIX",
            )
    return fine("no page of the shop stands in the way of ours")


def _endpoints(visit: Visit) -> Said:
    app, shop, config = visit.line.app, visit.line.shop, visit.line.config
    for name in ("set_password_endpoint", "terms_endpoint"):
        endpoint = getattr(shop, name)
        if endpoint is not None and endpoint not in app.view_functions:
            return wrong(
                f"{type(shop).__name__}.{name} is {endpoint!r}, which is no endpoint of this app",
                "name an endpoint that `flask routes` lists",
            )
    lost = [name for name in config.auto_login_blueprints if name not in app.blueprints]
    if lost:
        return wrong(
            f"LINECONNECT_AUTO_LOGIN_BLUEPRINTS names {lost[0]!r}, and the app has no such "
            "blueprint, so its pages log nobody in",
            f"name some of: {', '.join(sorted(app.blueprints))}",
        )
    return fine("the endpoints and blueprints that the shop names are there")


def _hooks(visit: Visit) -> Said:
    count = len(visit.line.part(HookTable).hooks)
    if count:
        return fine(f"{count} hooks answer what people write")
    return doubtful(
        "no hook is registered, so nobody who writes to the shop is answered",
        "write a LineBlueprint and give it to app.register_blueprint, after line.init_app(app)",
    )


def _scenarios(visit: Visit) -> Said | None:
    scenarios = list(visit.line.part(Scenarios))
    if not scenarios:
        return None
    world = World.of(visit.line)
    ill = [one.name for one in scenarios if check_scenario(one, world).problems]
    if not ill:
        return fine(f"nothing is wrong with {len(scenarios)} scenarios")
    return wrong(
        f"something is wrong with the scenarios {', '.join(ill[:5])}",
        "`flask line scenario check` says what, with the place",
    )


def _receipts(visit: Visit) -> Said | None:
    desk = visit.line.shop.orders
    if desk is None or desk.issuer is None:
        return None
    if find_spec("reportlab") is not None:
        return fine("receipts can be drawn")
    return wrong(
        "the order desk has an issuer of receipts, and the package reportlab is missing",
        "`pip install 'flask-lineconnect[receipt]'`",
    )


def _menu(visit: Visit) -> Said | None:
    line = visit.line
    if line.rich_menu is None or releases.folder_of(line).is_dir():
        return _menus_as_data(line)
    try:
        publish.hashes(line.rich_menu, root_path=line.app.root_path)
    except LineConnectError as error:
        return wrong(f"the rich menu can't be made: {error}", "mend its template or its image")
    except Exception as error:  # what a template of the shop's raises
        text = f"the rich menu's template {line.rich_menu.template} can't be rendered"
        return wrong(f"{text} ({type(error).__name__})", "mend the template")
    return fine("the rich menu has its template and its image")


def _menus_as_data(line: LineState) -> Said | None:
    try:
        composed = releases.declared(line)
        for one in composed:
            one.image()
    except LineConnectError as error:
        return wrong(f"the rich menus can't be made: {error}", "mend the files that it names")
    return fine("all rich menus can be made") if composed else None


CHECKS = (
    Check("routes", _routes),
    Check("endpoints", _endpoints),
    Check("hooks", _hooks),
    Check("scenarios", _scenarios),
    Check("receipts", _receipts),
    Check("rich-menu-files", _menu),
)
