"""Who may import whom: imports point down, and the emulator stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flask_lineconnect

ROOT = Path(__file__).parents[1]
PACKAGE = "flask_lineconnect"
LAYERS = [
    {
        "errors",
        "config",
        "shop",
        "linking",
        "hooks",
        "web",
        "rich_menus",
        "setting_up",
        "cli",
        "testing",
        "messages",
        "messages.limits",
        "messages.objects",
        "webhooks",
        "webhooks.events",
        "webhooks.parsing",
        "webhooks.signature",
        "emulator",
        "testing.browser",
        "testing.emulator",
        "engines",
        "liff",
        "line_api",
        "login",
        "outbox",
    },
    {
        "after_commit",
        "web.assets",
        "hooks.blueprint",
        "shop.categories",
        "config.settings",
        "config.values",
        "hooks.patterns",
        "hooks.table",
        "i18n",
        "log_fields",
        "liff.barcodes",
        "liff.receipt",
        "shop.member_desk",
        "messages.render",
        "config.plans",
        "shop.order_desk",
        "web.rate_limits",
        "shop.adapter",
        "signals",
        "state",
        "vault",
    },
    {
        "line_api.calls",
        "line_api.client",
        "line_api.http",
        "line_api.sender",
        "line_api.tokens",
        "login.oidc",
        "liff.id_token",
    },
    {
        "liff.card_codes",
        "setting_up.channels",
        "linking.chat_link",
        "linking.accounts",
        "login.tokens",
        "outbox.preferences",
        "linking.unlink_tasks",
        "linking.unlinking",
        "engines.upkeep",
        "login.decide",
        "login.flow",
        "outbox.budget",
        "outbox.by_hand",
        "outbox.claims",
        "outbox.delivery",
        "outbox.grouping",
        "outbox.mending",
        "outbox.pacing",
        "outbox.pauses",
        "outbox.policy",
        "outbox.pruning",
        "outbox.queue",
        "outbox.rules",
        "outbox.send_requests",
        "outbox.results",
        "rich_menus.publish",
        "webhooks.batch",
        "webhooks.dialogues",
        "webhooks.dispatch",
        "webhooks.people",
        "webhooks.replies",
        "webhooks.inbox",
        "webhooks.writer",
    },
    {
        "engines.celery",
        "engines.embedded",
        "engines.work",
        "liff.api",
        "liff.blueprint",
        "liff.answers",
        "liff.card",
        "liff.link",
        "liff.membership",
        "liff.orders",
        "liff.live",
        "liff.offline",
        "liff.views",
        "login.auto",
        "login.forms",
        "login.chat_views",
        "login.finish",
        "login.friend",
        "login.guard",
        "login.kept_forms",
        "login.link",
        "login.sessions",
        "login.sign_up",
        "login.start",
        "login.unlink",
        "login.views",
        "web.guards",
        "web.locales",
        "web.pages",
        "webhooks.members",
        "webhooks.views",
    },
    {
        "assembly",
        "cli.group",
        "cli.inbox",
        "cli.outbox",
        "cli.sending",
        "cli.worker",
        "extension",
        "testing.chat",
        "metrics",
        "testing.plugin",
        "web.blueprint",
    },
]
FEATURE_EDGES = {
    "login.views",
    "liff.api",
    "liff.link",
    "liff.membership",
    "liff.orders",
    "liff.views",
    "webhooks.views",
}


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join(parts).removesuffix("__init__").rstrip("."), path


def _layer(module: str) -> int:
    if module.split(".")[0] == "models":
        return 1
    for number, modules in enumerate(LAYERS):
        if module in modules:
            return number
    raise AssertionError(f"{module} has no layer; add it to LAYERS")


def _imports(path: Path, module: str) -> Iterator[str]:
    """Return the package's modules that a module imports at run time."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    package = [part for part in package if part]
    for node in _run_time_nodes(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = package[: len(package) - node.level + 1]
            home = [*base, *(node.module or "").split(".")]
        elif (node.module or "").split(".")[0] == PACKAGE:
            home = (node.module or "").split(".")[1:]
        else:
            continue
        home = [part for part in home if part]
        for alias in node.names:
            whole = ".".join([*home, alias.name])
            yield whole if _exists(whole) else ".".join(home)


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _run_time_nodes(node)


def _exists(module: str) -> bool:
    path = ROOT / PACKAGE / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


OWN = [
    (module, path)
    for module, path in _modules(ROOT / PACKAGE)
    if module and not module.startswith("emulator")
]


@pytest.mark.parametrize(("module", "path"), OWN, ids=[module for module, _path in OWN])
def test_imports_point_down(module: str, path: Path) -> None:
    for imported in _imports(path, module):
        assert imported, f"{module} imports the package itself"
        assert imported.split(".")[0] != "emulator"
        assert _layer(imported) <= _layer(module), f"{module} imports {imported}"


def test_views_of_one_feature_do_not_import_another() -> None:
    for module, path in OWN:
        if module in FEATURE_EDGES:
            others = FEATURE_EDGES - {module}
            assert not others & set(_imports(path, module)), module


def test_there_are_no_circles_inside_a_layer() -> None:
    graph = {module: set(_imports(path, module)) for module, path in OWN}

    def walk(module: str, way: list[str]) -> None:
        assert module not in way, f"a circle: {' -> '.join([*way, module])}"
        for imported in graph.get(module, ()):
            walk(imported, [*way, module])

    for module in graph:
        walk(module, [])


def test_the_emulator_imports_nothing_of_ours() -> None:
    for module, path in _modules(ROOT / PACKAGE / "emulator"):
        inside = f"emulator.{module}".rstrip(".")
        assert all(name.startswith("emulator") for name in _imports(path, inside)), module


def test_the_demo_shop_uses_public_names_only() -> None:
    for _module, path in _modules(ROOT / "demo_shop"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                assert node.module == PACKAGE, path
                assert {alias.name for alias in node.names} <= set(flask_lineconnect.__all__), path


def test_every_public_name_can_be_imported() -> None:
    for name in flask_lineconnect.__all__:
        assert getattr(flask_lineconnect, name) is not None
    assert sorted(flask_lineconnect.__all__) == sorted(flask_lineconnect._HOME_OF)


def test_modules_stay_short() -> None:
    for folder in (PACKAGE, "demo_shop", "liff"):
        for _module, path in _modules(ROOT / folder):
            assert len(path.read_text("utf-8").splitlines()) <= 400, path
